"""The field of a model that holds the name of a file in the attachment store."""

from django.db import models
from django.db.models.fields.files import FieldFile

from tickets.storage.access import Act, calling, read
from tickets.storage.rollback import delete_on_rollback


class StoredFile(FieldFile):
    def save(self, name, content, save=True):
        """Raises StoreUnavailable. Nothing stays of a file whose row is not committed."""
        path = self.field.generate_filename(self.instance, name)
        with calling(self.storage, Act.WRITE):
            delete_on_rollback(self.storage, path)
            super().save(name, content, save=False)
        if save:
            self.instance.save()

    save.alters_data = True

    def content(self) -> bytes:
        """All bytes, before anything is answered with them. Raises StoreUnavailable or FileLost."""
        return read(self.storage, self.name)


class StoredFileField(models.FileField):
    attr_class = StoredFile

    def deconstruct(self):
        """For a migration it is Django's field: only how the store is called differs."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.FileField", args, kwargs
