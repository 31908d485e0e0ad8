"""Times to the first reply and to the solution: median and 90th percentile."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from math import ceil, floor

from django.db import connection
from django.db.models import (
    Aggregate,
    BooleanField,
    DurationField,
    ExpressionWrapper,
    F,
    Field,
    FloatField,
    Func,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Floor

from helpdesk import moments
from tickets.reports.figures import Pair, counted, halves, in_either
from tickets.reports.intervals import Interval
from tickets.reports.periods import Comparison
from tickets.reports.worktime import Local, WorkingSeconds
from tickets.rules.calendar import working_seconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHARES = (0.5, 0.9)
UNITS = ("hours", "working")
NOTHING = (None, None)
ALL = 2**31 - 1
Percentiles = tuple[float | None, float | None]


@dataclass(frozen=True)
class Durations:
    """Median and 90th percentile in seconds, of a span and of the previous span."""

    median: Pair
    p90: Pair

    @classmethod
    def of(cls, now: Percentiles, before: Percentiles) -> "Durations":
        return cls(*(Pair(*pair) for pair in zip(now, before, strict=True)))


def durations(field: str, compared: Comparison) -> dict[str, Durations]:
    """The time from the creation to `field` (first_replied_at, done_at), of tickets with `field` in a span.

    In whole seconds, for "hours" and "working" hours. None if there is no such ticket.
    """
    rows = measurable(field).filter(in_either(field, compared))
    found = _asked if connection.vendor == "postgresql" else _worked_out
    now, before = found(rows, field, compared)
    return {unit: Durations.of(now[unit], before[unit]) for unit in UNITS}


def measurable(field: str) -> QuerySet:
    """Excludes tickets with the "empty" date of another system, and those created after `field`."""
    return counted().filter((f"{field}__gte", F("created_at")), created_at__gte=EPOCH)


class PercentileList(Aggregate):
    """PostgreSQL's percentile_cont for SHARES, with one sort."""

    template = f"percentile_cont(ARRAY[{','.join(map(str, SHARES))}]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = Field()  # a list without conversion


def _asked(rows: QuerySet, field: str, compared: Comparison) -> list[dict]:
    now = ExpressionWrapper(halves(field, compared)[0], output_field=BooleanField())
    rows = rows.annotate(is_now=now, **_operands(field))
    # The limit makes a subquery, so that each column is calculated once.
    found = rows[:ALL].aggregate(
        **{
            f"{unit}_{is_now}": PercentileList(SECONDS[unit], filter=Q(is_now=is_now))
            for is_now in (True, False)
            for unit in UNITS
        }
    )
    return [{unit: found[f"{unit}_{is_now}"] or NOTHING for unit in UNITS} for is_now in (True, False)]


SECONDS = {"hours": F("hours"), "working": WorkingSeconds("filed", "ended")}


def _operands(field: str) -> dict:
    """The columns that SECONDS need, in the SQL of PostgreSQL."""
    passed = ExpressionWrapper(F(field) - F("created_at"), output_field=DurationField())
    seconds = Func(Value("epoch"), passed, function="date_part", output_field=FloatField())
    return {"hours": Floor(seconds), "filed": Local("created_at"), "ended": Local(field)}


def _worked_out(rows: QuerySet, field: str, compared: Comparison) -> list[dict]:
    """For SQLite, which has neither percentiles nor time zones."""
    halves = Interval(field, boundaries=[compared.before.start, compared.span.start])
    measured = {half: {unit: [] for unit in UNITS} for half in (2, 1)}
    for half, *seconds in _read(rows, field, halves):
        for unit, value in zip(UNITS, seconds, strict=True):
            measured[half][unit].append(value)
    return [
        {unit: percentiles([sorted(values)]) for unit, values in part.items()} for part in measured.values()
    ]


def measured(rows: QuerySet, field: str, place: Interval) -> Iterator[tuple[int, int, int]]:
    """Rows of (place, seconds, business seconds), one for each of the measurable() tickets in `rows`."""
    if connection.vendor != "postgresql":
        return _read(rows, field, place)
    rows = rows.annotate(place=place, **_operands(field)).annotate(working=SECONDS["working"])
    found = rows.values_list("place", "hours", "working").iterator()
    return ((place, int(seconds), working) for place, seconds, working in found)


def _read(rows: QuerySet, field: str, place: Interval) -> Iterator[tuple[int, int, int]]:
    """Reads times as stored, in UTC."""
    texts = rows.values_list(place, Cast("created_at", TextField()), Cast(field, TextField()))
    for number, *ends in texts.iterator():
        start, end = map(_moment, ends)
        yield number, int((end - start).total_seconds()), working_seconds(start, end)


def _moment(text: str) -> datetime:
    return moments.read(f"{text}+00:00")


def percentiles(parts: list[Sequence[int]]) -> Percentiles:
    """Interpolates like percentile_cont. Each part is sorted."""
    parts = [part for part in parts if len(part)]
    count = sum(map(len, parts))
    return tuple(_percentile(parts, share * (count - 1)) for share in SHARES) if count else NOTHING


def _percentile(parts: list[Sequence[int]], place: float) -> float:
    value, ends = smallest(parts, floor(place))
    if sum(ends) > ceil(place):
        return value
    following = min(part[end] for part, end in zip(parts, ends, strict=True) if end < len(part))
    return value + (following - value) * (place % 1)


def smallest(parts: list[Sequence[int]], place: int) -> tuple[int, list[int]]:
    """The value at `place` of all parts together, from 0, and how many values of each part are not greater.

    Halves the range of possible values instead of merging the parts, because a year has many values.
    """
    low, high = min(part[0] for part in parts), max(part[-1] for part in parts)
    starts, ends = [0] * len(parts), list(map(len, parts))
    while low < high:
        middle = (low + high) // 2
        cuts = list(map(bisect_right, parts, repeat(middle), starts, ends))
        if sum(cuts) > place:
            high, ends = middle, cuts
        else:
            low, starts = middle + 1, cuts
    return low, ends
