"""Text of one line: a field of models, and the field of forms that belongs to it."""

from django import forms
from django.db import models

from accounts.validators import without_hidden


class OneLineFormField(forms.CharField):
    """What is typed into one line, without what nobody sees. It is refused where nothing else is left."""

    def to_python(self, value):
        return super().to_python(without_hidden(value) if isinstance(value, str) else value)


class OneLineField(models.CharField):
    """A text that is shown on one line: a name, a subject, a title.

    However it is saved, it holds no character that hides something or turns around what stands beside it:
    in lists, sentences and the subjects of mails it stands between the words of others.
    """

    def deconstruct(self):
        """In migrations it is a CharField: the database sees no difference."""
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
        """The row in memory and what is logged of it are what is stored."""
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = without_hidden(value)
            setattr(model_instance, self.attname, value)
        return value
