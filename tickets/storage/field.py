"""A model field for a file in the attachment storage."""

from django.db import models
from django.db.models.fields.files import FieldFile

from tickets.storage.access import Operation, calling, read
from tickets.storage.rollback import delete_on_rollback


class StoredFile(FieldFile):
    def save(self, name, content, save=True):
        """Raises StoreUnavailable. Deletes the file if the transaction is rolled back."""
        path = self.field.generate_filename(self.instance, name)
        with calling(self.storage, Operation.WRITE):
            delete_on_rollback(self.storage, path)
            super().save(name, content, save=False)
        if save:
            self.instance.save()

    save.alters_data = True

    def content(self) -> bytes:
        """Reads all bytes. Raises StoreUnavailable or FileLost before a response starts."""
        return read(self.storage, self.name)


class StoredFileField(models.FileField):
    attr_class = StoredFile

    def deconstruct(self):
        """Migrations see Django's own field, because only the calls of the storage differ."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.FileField", args, kwargs
