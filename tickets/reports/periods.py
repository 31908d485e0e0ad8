"""The time that a report is about, and the time before it that it is compared with."""

import calendar
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
        """Like with like: as many whole months, the same days a month ago, or as many days right before."""
        if self.first.day == 1 and (self.last + DAY).day == 1:
            months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
            return Span(months_before(self.first, months), self.first - DAY)
        if self.first.day == 1 and self.first.replace(day=self.last.day) == self.last:
            return self.shifted(1)
        return Span(self.first - self.days * DAY, self.first - DAY)

    def shifted(self, months: int) -> "Span":
        """The same days so many months ago."""
        return Span(months_before(self.first, months), months_before(self.last, months))

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


def months_before(day: date, months: int) -> date:
    """The same day so many months ago; the last one of the month where it has fewer days."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Comparison:
    """A span, and the one `before` it that its figures are compared with. Days may lie between them."""

    span: Span
    before: Span

    @classmethod
    def of(cls, span: Span) -> "Comparison":
        return cls(span, span.before)

    @property
    def whole(self) -> Span:
        """From the first day of the span before to the last day of the span."""
        return Span(self.before.first, self.span.last)


class Named(TextChoices):
    THIS_WEEK = "this-week", _("This week")
    LAST_WEEK = "last-week", _("Last week")
    THIS_MONTH = "this-month", _("This month")
    LAST_MONTH = "last-month", _("Last month")
    THIS_QUARTER = "this-quarter", _("This quarter")
    THIS_YEAR = "this-year", _("This year")
    OWN = "own", _("From … to …")

    def comparison(self, today: date) -> Comparison:
        """What is not over yet is compared with the same days of what was before."""
        monday = today - today.weekday() * DAY
        month = today.replace(day=1)
        quarter = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        week = Span(monday, today)
        last_week = Span(monday - 7 * DAY, monday - DAY)
        return {
            Named.THIS_WEEK: Comparison(week, Span(monday - 7 * DAY, today - 7 * DAY)),
            Named.LAST_WEEK: Comparison.of(last_week),
            Named.THIS_MONTH: _so_far(month, today, months=1),
            Named.LAST_MONTH: Comparison.of(Span(months_before(month, 1), month - DAY)),
            Named.THIS_QUARTER: _so_far(quarter, today, months=3),
            Named.THIS_YEAR: _so_far(today.replace(month=1, day=1), today, months=12),
        }[self]


def _so_far(first: date, today: date, *, months: int) -> Comparison:
    span = Span(first, today)
    return Comparison(span, span.shifted(months))
