"""How long tickets took from their filing to the first answer and to done: median and 90th percentile."""

from dataclasses import dataclass
from datetime import UTC, datetime
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
from django.db.models.functions import Cast

from helpdesk import moments
from tickets.calendar import working_seconds
from tickets.reports.figures import Pair, counted, halves, in_either
from tickets.reports.periods import Comparison
from tickets.reports.worktime import Local, WorkingSeconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHARES = (0.5, 0.9)
UNITS = ("hours", "working")
NOTHING = (None, None)
ALL = 2**31 - 1


@dataclass(frozen=True)
class Durations:
    """Median and 90th percentile in seconds, of the span and of the one before."""

    median: Pair
    p90: Pair


def durations(field: str, compared: Comparison) -> dict[str, Durations]:
    """From the filing to `field` (first_replied_at, done_at), of tickets where that fell into a span.

    By "hours" and by "working" hours; None where nothing was measured.
    """
    # Nobody measured what was filed before there were computers, which is the "empty" date of another system,
    # nor what was filed after both spans.
    rows = counted().filter(
        in_either(field, compared), created_at__gte=EPOCH, created_at__lt=compared.whole.end
    )
    found = _asked if connection.vendor == "postgresql" else _worked_out
    now, before = found(rows, field, compared)
    return {
        unit: Durations(
            median=Pair(now[unit][0], before[unit][0]),
            p90=Pair(now[unit][1], before[unit][1]),
        )
        for unit in UNITS
    }


class Percentiles(Aggregate):
    """percentile_cont of PostgreSQL for SHARES, in one sort."""

    template = f"percentile_cont(ARRAY[{','.join(map(str, SHARES))}]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = Field()  # a list, as it comes


def _asked(rows: QuerySet, field: str, compared: Comparison) -> list[dict]:
    passed = ExpressionWrapper(F(field) - F("created_at"), output_field=DurationField())
    moments = rows.annotate(
        is_now=ExpressionWrapper(halves(field, compared)[0], output_field=BooleanField()),
        hours=Func(Value("epoch"), passed, function="date_part", output_field=FloatField()),
        filed=Local("created_at"),
        ended=Local(field),
    )
    seconds = {"hours": F("hours"), "working": WorkingSeconds("filed", "ended")}
    # The limit makes a subquery of it: else each use of a column would work it out once more.
    found = moments[:ALL].aggregate(
        **{
            f"{unit}_{is_now}": Percentiles(seconds[unit], filter=Q(is_now=is_now))
            for is_now in (True, False)
            for unit in UNITS
        }
    )
    return [{unit: found[f"{unit}_{is_now}"] or NOTHING for unit in UNITS} for is_now in (True, False)]


def _worked_out(rows: QuerySet, field: str, compared: Comparison) -> list[dict]:
    """For SQLite, which has neither percentiles nor time zones. Moments are read as it keeps them, in UTC."""
    first = compared.span.start
    measured = {is_now: {unit: [] for unit in UNITS} for is_now in (True, False)}
    for texts in rows.values_list(Cast("created_at", TextField()), Cast(field, TextField())).iterator():
        start, end = map(_moment, texts)
        part = measured[end >= first]
        part["hours"].append((end - start).total_seconds())
        part["working"].append(working_seconds(start, end))
    return [{unit: _percentiles(values) for unit, values in part.items()} for part in measured.values()]


def _moment(text: str) -> datetime:
    return moments.read(f"{text}+00:00")


def _percentiles(values: list[float]) -> tuple:
    """Like percentile_cont: between the two values around the place."""
    if not values:
        return NOTHING
    values.sort()
    found = []
    for share in SHARES:
        place = share * (len(values) - 1)
        low, high = values[floor(place)], values[ceil(place)]
        found.append(low + (high - low) * (place % 1))
    return tuple(found)
