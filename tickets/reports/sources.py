"""Where the figures of a report come from: daily figures, or the tickets where these can't tell.

Both give the same figures (tickets/tests/reports/test_daily_figures.py). Daily figures are for whole days of
the helpdesk's time zone that have ended. Days that are missing or stale, like today, are counted from their
tickets, so that a report is never out of date.
"""

from collections import Counter, defaultdict
from datetime import date, datetime

from django.utils import timezone

from tickets.models import DailyFigures, StaleMoment
from tickets.reports import figures
from tickets.reports.daily_counting import (
    DURATIONS,
    NOBODY,
    basis,
    day_of,
    figures_of,
    first_day,
    no_figures,
    unpack,
)
from tickets.reports.durations import EPOCH, UNITS, Durations, durations, percentiles
from tickets.reports.figures import Tally
from tickets.reports.periods import DAY, Comparison, Span, runs
from tickets.reports.trend import counts_of_rows

LONGEST = 5 * 366  # days of one report that are loaded
MOST_STALE = 1000  # moments
MOST_MISSING, MOST_RUNS = 31, 4  # days, and spans of adjoining days, each of which is a range of an index
KEYS = {"category": int, "priority": str, "assignee": lambda key: None if key == NOBODY else int(key)}


class Rows:
    """Counts the tickets of the periods."""

    counts = staticmethod(counts_of_rows)

    def __init__(self, compared: Comparison):
        self.compared = compared

    def tally(self) -> Tally:
        return figures.created_and_solved(self.compared)

    def durations(self, field: str) -> dict[str, Durations]:
        return durations(field, self.compared)


class Days:
    """Sums up the figures of the days of the periods."""

    def __init__(self, compared: Comparison, days: dict[date, DailyFigures]):
        self.compared, self.days = compared, days

    def counts(self, name: str, parts: list[Span]) -> list[int]:
        return [
            sum(sum(self.days[day].counts[name]["priority"].values()) for day in part.dates) for part in parts
        ]

    def tally(self) -> Tally:
        tally = Tally()
        for ending, span in (("", self.compared.span), ("_before", self.compared.before)):
            for (name, dimension), found in self._sums(span).items():
                for key, count in found.items():
                    tally.add(dimension, KEYS[dimension](key), f"{name}{ending}", count)
        return tally

    def durations(self, field: str) -> dict[str, Durations]:
        found = {}
        for unit in UNITS:
            column = f"{DURATIONS[field]}_{unit}"
            now, before = (
                percentiles([unpack(getattr(self.days[day], column)) for day in span.dates])
                for span in (self.compared.span, self.compared.before)
            )
            found[unit] = Durations.of(now, before)
        return found

    def _sums(self, span: Span) -> dict[tuple[str, str], Counter]:
        sums: dict[tuple[str, str], Counter] = defaultdict(Counter)
        for day in span.dates:
            for name, dimensions in self.days[day].counts.items():
                for dimension, found in dimensions.items():
                    sums[name, dimension].update(found)
        return sums


def source(compared: Comparison) -> Rows | Days:
    days = _days(compared)
    return Rows(compared) if days is None else Days(compared, days)


def _days(compared: Comparison) -> dict[date, DailyFigures] | None:
    """The figures of each day of both periods; None if too many days would have to be counted."""
    spans = (compared.before, compared.span)
    if sum(span.days for span in spans) > LONGEST or not all(map(_has_days_of_helpdesk, spans)):
        return None
    stale = stale_days()  # first: what changes later has not been stored either
    if stale is None:
        return None
    found = {row.day: row for span in spans for row in _stored(span) if row.day not in stale}
    days = [day for span in spans for day in span.dates]
    found |= _empty_days([day for day in days if day not in found], oldest=min(found, default=None))
    missing = [day for day in days if day not in found]
    uncounted = list(runs(missing))
    if len(missing) > MOST_MISSING or len(uncounted) > MOST_RUNS:
        return None
    return found | figures_of(uncounted)


def _empty_days(missing: list[date], *, oldest: date | None) -> dict[date, DailyFigures]:
    """The days before the first ticket. `oldest` is the oldest day that is not missing."""
    if not missing or (oldest and oldest < missing[0]):
        return {}
    first = first_day() or date.max
    return {day: no_figures(day) for day in missing if EPOCH.date() <= day < first}


def _stored(span: Span):
    return DailyFigures.objects.filter(basis=basis(), day__range=(span.first, span.last))


def stale_days() -> set[date] | None:
    """The days whose daily figures may be outdated; None if there are very many."""
    moments = list(StaleMoment.objects.values_list("at", flat=True)[: MOST_STALE + 1])
    return None if len(moments) > MOST_STALE else {day_of(moment) for moment in moments}


def _has_days_of_helpdesk(span: Span) -> bool:
    """Whether each day begins at the same moment for the reader as for the helpdesk."""
    own, reader = timezone.get_default_timezone(), timezone.get_current_timezone()
    if own.key == reader.key:
        return True
    starts = (datetime.combine(day, datetime.min.time()) for day in (*span.dates, span.last + DAY))
    return all(timezone.make_aware(start, own) == timezone.make_aware(start, reader) for start in starts)
