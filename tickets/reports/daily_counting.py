"""Counts the figures of days from their tickets (DailyFigures), in the helpdesk's time zone."""

from array import array
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from tickets.models import DailyFigures
from tickets.reports.durations import EPOCH, UNITS, measurable, measured
from tickets.reports.figures import DIMENSIONS, MOMENTS, counted, in_span
from tickets.reports.intervals import Interval
from tickets.reports.periods import Span

DURATIONS = {"first_replied_at": "reply", "done_at": "resolution"}
NOBODY = ""  # the key of unassigned tickets, because None can't be a key in JSON


def basis() -> str:
    """The settings on which daily figures depend. Rows with another basis count as missing."""
    opens, closes = settings.WORKING_HOURS
    return f"{settings.TIME_ZONE} {sorted(settings.WORKING_DAYS)} {opens}-{closes}"


def day_of(moment: datetime) -> date:
    return moment.astimezone(timezone.get_default_timezone()).date()


def first_day() -> date | None:
    """The first day from EPOCH on with anything to count; None if there is none."""
    rows = [
        counted().filter((f"{field}__gte", EPOCH)).order_by(field).values_list(field, flat=True).first()
        for field in ("created_at", *DURATIONS)
    ]
    return min((day_of(moment) for moment in rows if moment), default=None)


def figures_of(spans: Sequence[Span]) -> dict[date, DailyFigures]:
    """The unsaved figures of each day of `spans`, which come in order. Four queries for all of them."""
    if not spans:
        return {}
    days = [day for span in spans for day in span.dates]
    with timezone.override(timezone.get_default_timezone()):
        boundaries = [Span(day, day).start for day in days]
        counts, seconds = _counts(spans, boundaries), _durations(spans, boundaries)
    return {
        day: DailyFigures(day=day, basis=basis(), counts=counts[number], **seconds[number])
        for number, day in enumerate(days)
    }


def _in_one_of(field: str, spans: Sequence[Span]) -> Q:
    return reduce(or_, (in_span(field, span) for span in spans))


def no_figures(day: date) -> DailyFigures:
    """The figures of a day on which nothing happened. Its durations have their default, no bytes."""
    return DailyFigures(day=day, basis=basis(), counts=_no_counts())


def _no_counts() -> dict[str, dict[str, Counter]]:
    return {name: {dimension: Counter() for dimension in kinds} for name, kinds in DIMENSIONS.items()}


def _counts(spans: Sequence[Span], boundaries: list) -> list[dict]:
    found = [_no_counts() for _day in boundaries]
    for name, dimensions in DIMENSIONS.items():
        field = MOMENTS[name]
        place = Interval(field, boundaries=boundaries)
        rows = counted().filter(_in_one_of(field, spans)).values(*dimensions, place=place)
        for row in rows.annotate(count=Count(field)):
            for dimension in dimensions:
                key = NOBODY if row[dimension] is None else str(row[dimension])
                found[row["place"] - 1][name][dimension][key] += row["count"]
    return found


def _durations(spans: Sequence[Span], boundaries: list) -> list[dict[str, bytes]]:
    names = [f"{name}_{unit}" for name in DURATIONS.values() for unit in UNITS]
    found: list[dict[str, list[int]]] = [{name: [] for name in names} for _day in boundaries]
    for field, name in DURATIONS.items():
        rows = measurable(field).filter(_in_one_of(field, spans))
        for place, *seconds in measured(rows, field, Interval(field, boundaries=boundaries)):
            for unit, value in zip(UNITS, seconds, strict=True):
                found[place - 1][f"{name}_{unit}"].append(value)
    return [{name: pack(values) for name, values in day.items()} for day in found]


def pack(seconds: list[int]) -> bytes:
    return array("I", sorted(seconds)).tobytes()


def unpack(packed: bytes | memoryview) -> array:
    seconds = array("I")
    seconds.frombytes(packed)
    return seconds
