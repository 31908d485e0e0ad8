"""One-line text: a model field and its form field."""

from django import forms
from django.db import models

from accounts.validators import without_hidden


class OneLineFormField(forms.CharField):
    """Removes invisible characters. Rejects text that contains nothing else."""

    def to_python(self, value):
        return super().to_python(without_hidden(value) if isinstance(value, str) else value)


class OneLineField(models.CharField):
    """A text that is shown on one line: a name, a subject, a title.

    Always saved without invisible and bidirectional control characters, which could hide or reorder the text
    beside it in lists, sentences and subjects of emails.
    """

    def deconstruct(self):
        """Migrations see a CharField, because the column is the same."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def formfield(self, **kwargs):
        return super().formfield(**{"form_class": OneLineFormField, **kwargs})

    def to_python(self, value):
        value = super().to_python(value)
        return without_hidden(value) if isinstance(value, str) else value

    def get_prep_value(self, value):
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance, add):
        """Cleans the instance too, so that the log contains the stored value."""
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = without_hidden(value)
            setattr(model_instance, self.attname, value)
        return value
