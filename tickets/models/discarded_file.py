from django.core.files.storage import Storage
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.storage.access import Operation, StoreUnavailable, calling


class DiscardedFile(models.Model):
    """The file of a deleted attachment. The row stays until the store has deleted the file too."""

    path = models.CharField(_("path"), max_length=100)
    created_at = models.DateTimeField(_("discarded"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("discarded file")
        verbose_name_plural = _("discarded files")
        ordering = ["pk"]

    def __str__(self):
        return self.path

    def delete_from(self, storage: Storage) -> bool:
        """Deletes the file and the row. Returns False, and keeps the row, if the store fails."""
        try:
            with calling(storage, Operation.WRITE):
                storage.delete(self.path)
        except StoreUnavailable:
            return False
        self.delete()
        return True
