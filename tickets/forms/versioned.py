"""Two people who edit one row do not overwrite each other (../shared/THREATS.md, row 115)."""

from dataclasses import dataclass
from typing import Any

from django import forms


@dataclass(frozen=True)
class Conflict:
    """A field that somebody else saved while it was edited here, both values in words."""

    label: str
    stored: str
    typed: str


class VersionedFormMixin(forms.Form):
    """For a ModelForm of a model with a `version`: the form remembers which version it showed.

    Lock the row before the form is validated; else two saves could both find their version current.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stored_version = self.instance.version
        self.fields["version"].initial = self.stored_version
        # Validation writes what was typed into the instance; this is what the database has.
        self.stored = {name: getattr(self.instance, name) for name in self._meta.fields}

    def clean(self):
        """What the person left alone stays exactly as it is stored, even where the field would tidy it up."""
        cleaned = super().clean()
        untouched = cleaned.keys() & self.stored.keys() - set(self.changed_data)
        return cleaned | {name: self.stored[name] for name in untouched}

    @property
    def conflicts(self) -> list[Conflict]:
        """What this form would overwrite; empty where it showed the version that is stored now."""
        if self.cleaned_data.get("version") == self.stored_version:
            return []
        return [
            Conflict(str(self.fields[name].label), self._words(name, stored), self._words(name, typed))
            for name, stored in self.stored.items()
            if name in self.fields and (typed := self.cleaned_data.get(name)) != stored
        ]

    def renewed(self) -> "VersionedFormMixin":
        """The same form with what was typed, which now knows the stored version and may overwrite it."""
        data = self.data.copy()
        data[self.add_prefix("version")] = self.stored_version
        return type(self)(data=data, instance=self.instance)

    def _words(self, name: str, value: Any) -> str:
        choices = dict(getattr(self._meta.model._meta.get_field(name), "flatchoices", ()))
        return "" if value is None else str(choices.get(value, value))
