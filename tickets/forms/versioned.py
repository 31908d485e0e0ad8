"""Prevents two people who edit a row from overwriting each other (../shared/THREATS.md, row 115)."""

from dataclasses import dataclass
from typing import Any

from django import forms


@dataclass(frozen=True)
class Conflict:
    """A field that another person saved while it was edited here, with both values as text."""

    label: str
    stored: str
    typed: str


class VersionedFormMixin(forms.Form):
    """For a ModelForm of a model with a `version`: the form remembers which version it showed.

    Lock the row before validating the form. Otherwise two requests can both find their version current.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.stored_version = self.instance.version
        self.fields["version"].initial = self.stored_version
        # Validation writes the typed values into the instance; these are the stored ones. A form that is only
        # shown does not need them, and would load the people of the ticket.
        names = self._meta.fields if self.is_bound else ()
        self.stored = {name: getattr(self.instance, name) for name in names}

    def clean(self):
        """Keeps unchanged fields exactly as they are stored, even if cleaning would change them."""
        cleaned = super().clean()
        untouched = cleaned.keys() & self.stored.keys() - set(self.changed_data)
        return cleaned | {name: self.stored[name] for name in untouched}

    @property
    def conflicts(self) -> list[Conflict]:
        """Returns the changes that this form would overwrite; empty if it showed the stored version."""
        if self.cleaned_data.get("version") == self.stored_version:
            return []
        return [
            Conflict(str(self.fields[name].label), self._words(name, stored), self._words(name, typed))
            for name, stored in self.stored.items()
            if name in self.fields and (typed := self.cleaned_data.get(name)) != stored
        ]

    def renewed(self) -> "VersionedFormMixin":
        """Returns the same form with the typed values and the stored version, so that it may overwrite."""
        data = self.data.copy()
        data[self.add_prefix("version")] = self.stored_version
        return type(self)(data=data, instance=self.instance)

    def _words(self, name: str, value: Any) -> str:
        choices = dict(getattr(self._meta.model._meta.get_field(name), "flatchoices", ()))
        return "" if value is None else str(choices.get(value, value))
