import uuid
from collections.abc import Callable
from datetime import timedelta

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tickets.actions import submissions
from tickets.models import Attachment
from tickets.models.attachment_querysets import TooManyFiles
from tickets.rules.file_types import identify, marks, refused
from tickets.rules.validators import (
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_MESSAGE_BYTES,
    safe_name,
    validate_size,
    validate_together,
)
from tickets.storage.access import StoreUnavailable
from tickets.storage.uploads import LostUpload

UNAVAILABLE = "unavailable"


def files_unavailable() -> ValidationError:
    """Returns the error of a form whose files can't be stored. Its view responds with 503."""
    text = _("Files can't be stored right now. Send without files, or try again later.")
    return ValidationError(text, code=UNAVAILABLE)


class MultipleFileInput(forms.FileInput):
    allow_multiple_selected = True


class AttachmentsField(forms.FileField):
    """Up to MAX_FILES files of the accepted types. Cleans to a list. Each refused file has its own error."""

    widget = MultipleFileInput
    max_files, max_bytes, max_together = MAX_FILES, MAX_FILE_BYTES, MAX_MESSAGE_BYTES

    def __init__(self, **kwargs):
        # A long name is no error, because it is shortened when it is stored.
        super().__init__(required=False, allow_empty_file=True, **kwargs)

    @property
    def types(self) -> tuple[str, ...]:
        """Returns the accepted extensions, for the help text and the browser."""
        return settings.ATTACHMENT_TYPES

    @property
    def are_few(self) -> bool:
        """Whether the types are few enough to list them all in a line."""
        return len(self.types) <= 12

    @property
    def marks(self) -> list[str]:
        return marks(self.types)

    @property
    def refused(self) -> list[str]:
        return sorted(refused(self.types))

    def clean(self, data, initial=None):
        uploads = [upload for upload in data or [] if upload]
        if any(isinstance(upload, LostUpload) for upload in uploads):
            raise files_unavailable()
        errors = []
        if len(uploads) <= MAX_FILES:
            for upload in uploads:
                errors += self._errors_of(upload)
        try:
            validate_together([upload.size for upload in uploads])
        except ValidationError as error:
            errors.append(error)
        if errors:
            raise ValidationError(errors)
        return uploads

    def _errors_of(self, upload) -> list[ValidationError]:
        try:
            validate_size(upload.name, upload.size)
            upload.seek(0)
            identify(safe_name(upload.name), upload.read())
        except ValidationError as error:
            return [error]
        except OSError:  # the temporary folder of uploads can fail like any other folder
            return [files_unavailable()]
        return []


class DailyLimitMixin(forms.Form):
    """For a form whose `uploader` sends `attachments`. Above the daily limit it has an error and a `wait`."""

    wait: timedelta | None = None

    @property
    def uploader(self):
        raise NotImplementedError

    def clean(self):
        cleaned = super().clean()
        if wait := Attachment.objects.wait_for(cleaned.get("attachments"), self.uploader):
            self._refuse_files(wait)
        return cleaned

    def file_once(
        self, key: uuid.UUID, content: Callable[[], submissions.Content], **acts: Callable
    ) -> tuple[submissions.Row, bool] | None:
        """Like submissions.file_once(). Returns None where the files are refused: the form has the error."""
        try:
            return submissions.file_once(key, content(), **acts)
        except TooManyFiles as error:  # others came meanwhile
            self._refuse_files(error.wait)
        except (StoreUnavailable, OSError):  # an upload waits in a temporary folder, which may fail too
            self.add_error("attachments", files_unavailable())
        return None

    def _refuse_files(self, wait: timedelta) -> None:
        self.wait = wait
        self.add_error("attachments", _("These are more files than you can send in one day."))
