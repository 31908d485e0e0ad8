from django import forms
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.reports.mail import Part
from tickets.reports.periods import DAY, Span
from tickets.search.query import MAX_LENGTH


class Period(models.TextChoices):
    TODAY = "1", _("Today")
    WEEK = "7", _("7 days")
    MONTH = "30", _("30 days")


class MailForm(forms.Form):
    """What the mail page shows. A value that is not offered is passed over, like one that is not there."""

    period = forms.ChoiceField(label=_("Period"), choices=Period, required=False)
    q = forms.CharField(
        label=_("Address, subject or ticket number"),
        required=False,
        widget=forms.SearchInput(attrs={"maxlength": MAX_LENGTH}),
    )
    part = forms.CharField(required=False, widget=forms.HiddenInput)

    def chosen(self, name: str, default: str = "") -> str:
        self.full_clean()
        return getattr(self, "cleaned_data", {}).get(name) or default

    @property
    def span(self) -> Span:
        today = timezone.localdate()
        days = int(self.chosen("period", Period.WEEK))
        return Span(today - (days - 1) * DAY, today)

    @property
    def words(self) -> str:
        return self.chosen("q")[:MAX_LENGTH].strip()

    @property
    def only(self) -> Part | None:
        return Part.parse(self.chosen("part"))
