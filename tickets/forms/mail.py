from django import forms
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.reports.mail import MailGroup
from tickets.reports.periods import DAY, Span
from tickets.search.query import MAX_LENGTH


class MailPeriod(models.TextChoices):
    TODAY = "1", _("Today")
    WEEK = "7", _("7 days")
    MONTH = "30", _("30 days")


class MailForm(forms.Form):
    """The filters of the mail page. Ignores values that are not offered, like missing ones."""

    period = forms.ChoiceField(label=_("Period"), choices=MailPeriod, required=False)
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
        days = int(self.chosen("period", MailPeriod.WEEK))
        return Span(today - (days - 1) * DAY, today)

    @property
    def words(self) -> str:
        return self.chosen("q")[:MAX_LENGTH].strip()

    @property
    def only(self) -> MailGroup | None:
        return MailGroup.parse(self.chosen("part"))
