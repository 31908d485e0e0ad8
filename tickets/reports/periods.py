"""The period of a report, and the previous period with which it is compared."""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.rules.calendar import DAY, monday_of


@dataclass(frozen=True)
class Span:
    """Whole days from `first` to `last`, both included, in the reader's time zone."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def dates(self) -> Iterator[date]:
        return (self.first + number * DAY for number in range(self.days))

    @property
    def start(self) -> datetime:
        return timezone.make_aware(datetime.combine(self.first, time.min))

    @property
    def end(self) -> datetime:
        """The first moment after the span."""
        return timezone.make_aware(datetime.combine(self.last + DAY, time.min))

    @property
    def before(self) -> "Span":
        """The previous span: as many whole months, the same days a month ago, or as many days before."""
        if self.first.day == 1 and (self.last + DAY).day == 1:
            months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month + 1
            return Span(months_before(self.first, months), self.first - DAY)
        if self.first.day == 1 and self.first.replace(day=self.last.day) == self.last:
            return self.shifted(1)
        return Span(self.first - self.days * DAY, self.first - DAY)

    def shifted(self, months: int) -> "Span":
        """The same days `months` months ago."""
        return Span(months_before(self.first, months), months_before(self.last, months))

    @classmethod
    def parse(cls, text: str) -> "Span | None":
        """Parses what str() writes; None for anything else."""
        first, mark, last = text.partition("..")
        try:
            span = cls(date.fromisoformat(first), date.fromisoformat(last))
            # The previous span and the following day must be valid dates too, in any time zone.
            is_in_calendar = span.before.first.year > 1 and span.last.year < date.max.year
            return span if mark and span.first <= span.last and is_in_calendar else None
        except (ValueError, OverflowError):
            return None


def runs(days: Iterable[date], *, longest: int = 366) -> Iterator[Span]:
    """Adjoining days of a sorted sequence as spans of up to `longest` days."""
    span = None
    for day in days:
        if span and day == span.last + DAY and span.days < longest:
            span = Span(span.first, day)
            continue
        if span:
            yield span
        span = Span(day, day)
    if span:
        yield span


def months_before(day: date, months: int) -> date:
    """The same day `months` months ago; the last day of the month if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Comparison:
    """A span, and the span `before` with which it is compared. There may be days between them."""

    span: Span
    before: Span

    @classmethod
    def of(cls, span: Span) -> "Comparison":
        return cls(span, span.before)

    @property
    def whole(self) -> Span:
        """From the first day of the previous span to the last day of the span."""
        return Span(self.before.first, self.span.last)


class NamedPeriod(TextChoices):
    THIS_WEEK = "this-week", _("This week")
    LAST_WEEK = "last-week", _("Last week")
    THIS_MONTH = "this-month", _("This month")
    LAST_MONTH = "last-month", _("Last month")
    THIS_QUARTER = "this-quarter", _("This quarter")
    LAST_QUARTER = "last-quarter", _("Last quarter")
    THIS_YEAR = "this-year", _("This year")
    LAST_YEAR = "last-year", _("Last year")
    OWN = "own", _("Custom dates")

    def comparison(self, today: date) -> Comparison:
        """A current period is compared with the same days of the previous one."""
        monday = monday_of(today)
        month = today.replace(day=1)
        quarter = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
        year = today.replace(month=1, day=1)
        week = Span(monday, today)
        last_week = Span(monday - 7 * DAY, monday - DAY)
        return {
            NamedPeriod.THIS_WEEK: Comparison(week, Span(monday - 7 * DAY, today - 7 * DAY)),
            NamedPeriod.LAST_WEEK: Comparison.of(last_week),
            NamedPeriod.THIS_MONTH: _so_far(month, today, months=1),
            NamedPeriod.LAST_MONTH: Comparison.of(Span(months_before(month, 1), month - DAY)),
            NamedPeriod.THIS_QUARTER: _so_far(quarter, today, months=3),
            NamedPeriod.LAST_QUARTER: Comparison.of(Span(months_before(quarter, 3), quarter - DAY)),
            NamedPeriod.THIS_YEAR: _so_far(year, today, months=12),
            NamedPeriod.LAST_YEAR: Comparison.of(Span(months_before(year, 12), year - DAY)),
        }[self]


def _so_far(first: date, today: date, *, months: int) -> Comparison:
    span = Span(first, today)
    return Comparison(span, span.shifted(months))
