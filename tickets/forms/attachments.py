from datetime import timedelta

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tickets.file_types import EXECUTABLES, identify
from tickets.models import Attachment
from tickets.storage.uploads import LostUpload
from tickets.validators import MAX_FILES, safe_name, validate_size, validate_together

UNAVAILABLE = "unavailable"


def files_unavailable() -> ValidationError:
    """The error of a form whose files can't be stored. Its view answers with 503."""
    text = _("Files can't be stored right now. Send it without files, or try again later.")
    return ValidationError(text, code=UNAVAILABLE)


class MultipleFileInput(forms.FileInput):
    allow_multiple_selected = True


class AttachmentsField(forms.FileField):
    """Up to MAX_FILES files of the accepted types; cleans to a list. Each refused file gets its own error."""

    widget = MultipleFileInput

    def __init__(self, **kwargs):
        # A name is cut where it is stored, so a long one is no error.
        super().__init__(required=False, allow_empty_file=True, **kwargs)

    @property
    def types(self) -> tuple[str, ...]:
        """The extensions that are accepted, for the form to say and the browser to check."""
        return settings.ATTACHMENT_TYPES

    @property
    def executables(self) -> list[str]:
        return sorted(EXECUTABLES)

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
        except OSError:  # it waits in a temporary folder, which may fail like any other
            return [files_unavailable()]
        return []


class DailyLimitMixin(forms.Form):
    """For a form whose `uploader` sends `attachments`. Past the day's limit it has an error and a `wait`."""

    wait: timedelta | None = None

    @property
    def uploader(self):
        raise NotImplementedError

    def clean(self):
        cleaned = super().clean()
        if wait := Attachment.objects.wait_for(cleaned.get("attachments"), self.uploader):
            self.refuse_files(wait)
        return cleaned

    def refuse_files(self, wait: timedelta) -> None:
        self.wait = wait
        self.add_error("attachments", _("These are more files than you can send in one day."))
