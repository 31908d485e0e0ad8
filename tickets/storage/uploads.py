"""Uploads in the temporary folder, before their form is validated."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

logger = logging.getLogger(__name__)


class LostUpload(UploadedFile):
    """Represents a file that could not be stored. Forms reject it (tickets.forms.attachments)."""

    def __init__(self, name: str):
        super().__init__(ContentFile(b""), name, size=0)


class TolerantUploadHandler(TemporaryFileUploadHandler):
    """Drops the file if the temporary folder is full. Django would fail the whole request, with its text."""

    def new_file(self, *args, **kwargs):
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.__dict__.pop("file", None)
        with self._letting_go():
            # Not with the original suffix, which may be too long for the file system.
            self.file = TemporaryUploadedFile(
                "upload", self.content_type, 0, self.charset, self.content_type_extra
            )
        if self.is_kept:
            self.file.name = self.file_name

    def receive_data_chunk(self, raw_data, start):
        if self.is_kept:
            with self._letting_go():
                self.file.write(raw_data)

    def file_complete(self, file_size):
        if self.is_kept:
            with self._letting_go():
                return super().file_complete(file_size)
        return LostUpload(self.file_name)

    @property
    def is_kept(self) -> bool:
        """Django's parser reads this attribute too."""
        return hasattr(self, "file")

    @contextmanager
    def _letting_go(self) -> Iterator[None]:
        """Continues without the file after an error of the disk."""
        try:
            yield
        except OSError as error:
            logger.error("An upload could not be kept in the temporary folder: %s", error)
            if file := self.__dict__.pop("file", None):
                with suppress(OSError):
                    file.close()
