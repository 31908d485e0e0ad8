from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.reports.periods import Comparison, NamedPeriod, Span

LONGEST = 366 * 5  # days


class PeriodForm(forms.Form):
    """The period of a report. An invalid period is an error, and the report shows this month."""

    period = forms.ChoiceField(label=_("Period"), choices=NamedPeriod, required=False)
    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    last = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("period") != NamedPeriod.OWN or self.errors:
            return cleaned
        first, last = cleaned.get("first"), cleaned.get("last")
        for name in ("first", "last"):
            if cleaned.get(name) is None:
                self.add_error(name, _("Choose a date."))
        if first and last and first > last:
            self.add_error("last", _("The end date is before the start date."))
        elif first and last and not self._is_sensible(Span(first, last)):
            self.add_error("last", _("Choose at most five years."))
        return cleaned

    @staticmethod
    def _is_sensible(span: Span) -> bool:
        """Whether the period is not too long and within the range of the calendar."""
        return span.days <= LONGEST and Span.parse(str(span)) is not None

    @property
    def named_period(self) -> NamedPeriod:
        """The chosen period; this month if none or an invalid one is chosen."""
        chosen = self.cleaned_data["period"] if self.is_valid() else ""
        return NamedPeriod(chosen or NamedPeriod.THIS_MONTH)

    @property
    def comparison(self) -> Comparison:
        today = timezone.localdate()
        named = self.named_period
        if named == NamedPeriod.OWN:
            return Comparison.of(Span(self.cleaned_data["first"], self.cleaned_data["last"]))
        return named.comparison(today)
