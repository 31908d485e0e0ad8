"""The technical details of the form for a new ticket."""

from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.rules import technical


@dataclass(frozen=True)
class TechnicalDetail:
    """A detail that the form offers. Without JavaScript only those with a `value` are shown."""

    name: str
    label: str
    value: str
    is_chosen: bool


class TechnicalDetailsField(forms.Field):
    """Cleans to {name: value} of what was ticked. Never refuses: the details are no reason not to file."""

    widget = forms.SelectMultiple  # reads several values; templates/tickets/includes/ renders it

    def __init__(self):
        super().__init__(label=_("Technical details"), required=False)

    def clean(self, value) -> dict[str, str]:
        return technical.read(value or [])


class OfferedDetails:
    """The context of tickets/includes/technical_field.html."""

    def __init__(self, *, chosen: dict[str, str], browser: str):
        self.chosen, self.known = chosen, {"browser": technical.one_line(browser), **chosen}

    @property
    def rows(self) -> list[TechnicalDetail]:
        return [
            TechnicalDetail(name, label, self.known.get(name, ""), name in self.chosen)
            for name, label in technical.LABELS.items()
        ]
