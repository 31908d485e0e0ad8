"""Uploads that wait in the temporary folder until their form is read."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler

logger = logging.getLogger(__name__)


class LostUpload(UploadedFile):
    """Stands for a file that could not be kept. Forms refuse it (tickets.forms.attachments)."""

    def __init__(self, name: str):
        super().__init__(ContentFile(b""), name, size=0)


class TolerantUploadHandler(TemporaryFileUploadHandler):
    """A temporary folder that is full costs the file. Django would give up the whole form, text and all."""

    def new_file(self, *args, **kwargs):
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.__dict__.pop("file", None)
        with self._letting_go():
            # Not under its own name, whose ending may be longer than a disk takes.
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
        """Django's parser looks for the attribute too."""
        return hasattr(self, "file")

    @contextmanager
    def _letting_go(self) -> Iterator[None]:
        """Goes on without the file where the disk refuses it."""
        try:
            yield
        except OSError as error:
            logger.error("An upload could not be kept in the temporary folder: %s", error)
            if file := self.__dict__.pop("file", None):
                with suppress(OSError):
                    file.close()
