"""Tickets created, solved and open by day, week or month of a span."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.db.models import Count, QuerySet
from django.utils import timezone

from tickets.reports.figures import MOMENTS, counted, in_span
from tickets.reports.intervals import Interval
from tickets.reports.periods import DAY, Span, months_before
from tickets.rules.calendar import monday_of

LONGEST_BY_DAY = 31  # days
LONGEST_BY_WEEK = 26 * 7  # days
WEEK = timedelta(days=7)


CountsOfParts = Callable[[str, list[Span]], list[int]]


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class TrendPoint:
    """One day, week or month. `open` is the number of open tickets at its end."""

    span: Span
    created: int
    solved: int
    open: int


@dataclass(frozen=True)
class Trend:
    unit: Unit
    points: list[TrendPoint]

    @property
    def open_before(self) -> int:
        """The number of open tickets at the start of the span."""
        first = self.points[0]
        return first.open - first.created + first.solved


def counts_of_rows(name: str, parts: list[Span]) -> list[int]:
    """The tickets that were "created" or "solved" in each of adjoining spans."""
    field, whole = MOMENTS[name], Span(parts[0].first, parts[-1].last)
    boundaries = [part.start for part in parts]
    rows: QuerySet = (
        counted().filter(in_span(field, whole)).values(part=Interval(field, boundaries=boundaries))
    )
    found = {row["part"]: row["count"] for row in rows.annotate(count=Count(field))}
    return [found.get(number, 0) for number in range(1, len(parts) + 1)]


def trend(span: Span, *, open_now: int, counts: CountsOfParts = counts_of_rows) -> Trend:
    """The trend of a span. `open_now` is the number of open tickets at present, `counts` counts the others.

    The number of open tickets is calculated backwards from the present. A ticket that was reopened counts as
    open since its creation, because only its last solution is known.
    """
    unit = unit_of(span)
    spans = list(parts_of(span, unit))
    created, solved = (counts(name, spans) for name in MOMENTS)
    is_open = open_now - _since("created_at", span) + _since("done_at", span)
    points = []
    for part, new, done in reversed(list(zip(spans, created, solved, strict=True))):
        points.append(TrendPoint(part, new, done, max(is_open, 0)))
        is_open += done - new
    return Trend(unit, points[::-1])


def unit_of(span: Span) -> Unit:
    if span.days <= LONGEST_BY_DAY:
        return Unit.DAY
    return Unit.WEEK if span.days <= LONGEST_BY_WEEK else Unit.MONTH


def parts_of(span: Span, unit: Unit) -> Iterable[Span]:
    """The days, weeks or months of `span`. The first and the last one may be incomplete."""
    first = span.first
    while first <= span.last:
        following = min(_following(first, unit), span.last + DAY)
        yield Span(first, following - DAY)
        first = following


def _following(day: date, unit: Unit) -> date:
    if unit == Unit.DAY:
        return day + DAY
    if unit == Unit.WEEK:
        return monday_of(day) + WEEK
    return months_before(day.replace(day=1), -1)


def _since(field: str, span: Span) -> int:
    """The number of tickets that were created or solved after the span."""
    if span.end > timezone.now():
        return 0
    return counted().filter((f"{field}__gte", span.end)).count()
