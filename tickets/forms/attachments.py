from django import forms
from django.core.exceptions import ValidationError

from tickets.validators import MAX_FILES, content_type, validate_size, validate_together


class MultipleFileInput(forms.FileInput):
    allow_multiple_selected = True


class AttachmentsField(forms.FileField):
    """Up to MAX_FILES files of the accepted types; cleans to a list. Each refused file gets its own error."""

    widget = MultipleFileInput

    def __init__(self, **kwargs):
        # A name is cut where it is stored, so a long one is no error.
        super().__init__(required=False, allow_empty_file=True, **kwargs)

    def clean(self, data, initial=None):
        uploads = [upload for upload in data or [] if upload]
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
            content_type(upload.name, upload.read())
            upload.seek(0)
        except ValidationError as error:
            return [error]
        return []
