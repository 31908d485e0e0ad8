"""Attachments in a local folder, whose disk may not be mounted."""

from pathlib import Path

from django.apps import apps
from django.core.files.storage import FileSystemStorage

from tickets.storage.access import StoreMissing

MARKER = ".helpdesk-attachments"
MARKER_TEXT = """\
This folder holds the attachments of a helpdesk. Without this file nothing is stored here, because the disk
of the folder may not be mounted.
"""
LOOKED_FOR = 100  # attachments


class AttachmentFolder(FileSystemStorage):
    """A folder with a marker file. Creates or marks a folder only if no attachment is missing in it.

    Django creates a missing folder. Below the mount point of a lost disk that would be a second storage,
    which is hidden as soon as the disk is mounted again.
    """

    def _save(self, name, content):
        self._mark()
        return super()._save(name, content)

    def _open(self, name, mode="rb"):
        try:
            return super()._open(name, mode)
        except FileNotFoundError:
            self._check()
            raise

    def delete(self, name):
        """Raises an error if the disk is lost; Django would treat the missing file as deleted.

        Does not query the database, because tickets.storage.rollback calls it during a rollback.
        """
        if not self.marker.exists() and not self.exists(name):
            raise StoreMissing(f"{self.location} has no {MARKER} and not the file to delete.")
        super().delete(name)

    @property
    def marker(self) -> Path:
        return Path(self.location, MARKER)

    def _mark(self) -> None:
        if self.marker.exists():
            return
        self._check()
        self.marker.parent.mkdir(parents=True, exist_ok=True)
        self.marker.write_text(MARKER_TEXT)

    def _check(self) -> None:
        """Raises StoreMissing if the files of the attachments are missing."""
        if self.marker.exists() or self._has_what_it_should():
            return
        if not self.marker.exists():  # another process may have created it meanwhile
            raise StoreMissing(
                f"{self.location} has no {MARKER} and none of the latest attachments. Mount its disk. "
                f"If the files are lost for good, make an empty file of this name there."
            )

    def _has_what_it_should(self) -> bool:
        """Whether the latest attachments exist. A folder of an old version has no marker, but attachments."""
        # Use the app registry, because the model imports this module.
        attachments = apps.get_model("tickets", "Attachment")._base_manager.order_by("-pk")
        paths = list(attachments.values_list("file", flat=True)[:LOOKED_FOR])
        return not paths or any(Path(self.location, path).is_file() for path in paths)
