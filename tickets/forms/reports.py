from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.reports.periods import Comparison, Named, Span

LONGEST = 366 * 5  # days


class PeriodForm(forms.Form):
    """Which time a report is about. What makes no sense is said, and this month is shown."""

    period = forms.ChoiceField(label=_("Period"), choices=Named, required=False)
    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    last = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("period") != Named.OWN or self.errors:
            return cleaned
        first, last = cleaned.get("first"), cleaned.get("last")
        for name in ("first", "last"):
            if cleaned.get(name) is None:
                self.add_error(name, _("Please choose a day."))
        if first and last and first > last:
            self.add_error("last", _("The last day is before the first."))
        elif first and last and not self._is_sensible(Span(first, last)):
            self.add_error("last", _("Please choose at most five years."))
        return cleaned

    @staticmethod
    def _is_sensible(span: Span) -> bool:
        """Not too long, and neither before nor behind what the calendar knows."""
        return span.days <= LONGEST and Span.parse(str(span)) is not None

    @property
    def comparison(self) -> Comparison:
        today = timezone.localdate()
        if not self.is_valid():
            return Named.THIS_MONTH.comparison(today)
        named = Named(self.cleaned_data["period"] or Named.THIS_MONTH)
        if named == Named.OWN:
            return Comparison.of(Span(self.cleaned_data["first"], self.cleaned_data["last"]))
        return named.comparison(today)
