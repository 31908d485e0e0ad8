"""The time that a report is about, and the same time before it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Whole days, both included, by the clock of whoever reads."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        return timezone.make_aware(datetime.combine(self.first, time.min))

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return timezone.make_aware(datetime.combine(self.last + DAY, time.min))

    @property
    def before(self) -> "Span":
        """As many days right before it."""
        return Span(self.first - self.days * DAY, self.first - DAY)

    @property
    def with_before(self) -> "Span":
        return Span(self.before.first, self.last)

    @classmethod
    def parse(cls, text: str) -> "Span | None":
        """A span as str() writes it; None for anything else."""
        first, mark, last = text.partition("..")
        try:
            span = cls(date.fromisoformat(first), date.fromisoformat(last))
            # With the span before it and the day after it, in any time zone.
            is_in_calendar = span.before.first.year > 1 and span.last.year < date.max.year
            return span if mark and span.first <= span.last and is_in_calendar else None
        except (ValueError, OverflowError):
            return None


class Named(TextChoices):
    THIS_WEEK = "this-week", _("This week")
    LAST_WEEK = "last-week", _("Last week")
    THIS_MONTH = "this-month", _("This month")
    LAST_MONTH = "last-month", _("Last month")
    THIS_QUARTER = "this-quarter", _("This quarter")
    THIS_YEAR = "this-year", _("This year")
    OWN = "own", _("From … to …")

    def span(self, today: date) -> Span:
        monday = today - today.weekday() * DAY
        month = today.replace(day=1)
        last_month = month - DAY
        quarter = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        return {
            Named.THIS_WEEK: Span(monday, today),
            Named.LAST_WEEK: Span(monday - 7 * DAY, monday - DAY),
            Named.THIS_MONTH: Span(month, today),
            Named.LAST_MONTH: Span(last_month.replace(day=1), last_month),
            Named.THIS_QUARTER: Span(quarter, today),
            Named.THIS_YEAR: Span(today.replace(month=1, day=1), today),
        }[self]
