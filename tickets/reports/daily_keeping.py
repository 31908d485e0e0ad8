"""Keeps the daily figures: counts days that have ended, and counts days again whose tickets changed."""

import logging
import time
from collections.abc import Iterator
from datetime import date

from django.db import connection, transaction

from tickets.models import DailyFigures, StaleMoment
from tickets.reports.daily_counting import basis, day_of, figures_of, first_day
from tickets.reports.periods import DAY, Span, runs
from tickets.reports.sources import stale_days
from tickets.rules.calendar import today

logger = logging.getLogger(__name__)
IN_JOB = 20  # seconds
LONGEST = 31  # days of one transaction
MOMENTS = 10_000  # of one transaction
VALUES = [field.name for field in DailyFigures._meta.concrete_fields if not field.primary_key]


def keep(*, seconds: float = IN_JOB) -> int:
    """Counts stale and missing days, newest first, for about `seconds`. Returns how many."""
    until, count = time.monotonic() + seconds, 0
    while time.monotonic() < until and StaleMoment.objects.exists():
        drop_stale()
    for span in missing():
        if time.monotonic() >= until:
            break
        count += recount(span)
    return count


def missing() -> Iterator[Span]:
    """The days that have ended and are not counted on the present basis, in spans, newest first."""
    first = first_day()
    if first is None or first >= today():
        return
    stored = set(DailyFigures.objects.filter(basis=basis()).values_list("day", flat=True))
    days = [day for day in Span(first, today() - DAY).dates if day not in stored]
    yield from reversed(list(runs(days, longest=LONGEST)))


@transaction.atomic
def recount(span: Span) -> int:
    """Returns the number of days."""
    _lock()
    rows = figures_of([span]).values()
    DailyFigures.objects.bulk_create(rows, update_conflicts=True, update_fields=VALUES, unique_fields=["day"])
    return len(rows)


@transaction.atomic
def drop_stale() -> None:
    """Deletes the days of the oldest stale moments, so that they are missing. There may be many moments."""
    _lock()
    # Reads the moments first: a change that commits later brings its own.
    moments = dict(StaleMoment.objects.order_by("pk").values_list("pk", "at")[:MOMENTS])
    DailyFigures.objects.filter(day__in={day_of(moment) for moment in moments.values()}).delete()
    StaleMoment.objects.filter(pk__in=list(moments)).delete()


@transaction.atomic
def drop_all() -> None:
    _lock()
    StaleMoment.objects.all().delete()
    DailyFigures.objects.all().delete()


def check() -> list[date]:
    """Compares all stored days with their tickets. Logs and counts again those that differ; returns them."""
    found = list(differences())
    for day in found:
        logger.error("The daily figures of %s differed from the tickets and were counted again.", day)
        recount(Span(day, day))
    return found


def differences() -> Iterator[date]:
    """The stored days that differ from their tickets, except those that are known to be stale."""
    days = DailyFigures.objects.filter(basis=basis()).order_by("day").values_list("day", flat=True)
    for span in runs(list(days), longest=LONGEST):
        yield from _differences(span)


@transaction.atomic
def _differences(span: Span) -> list[date]:
    _lock()
    stored = DailyFigures.objects.filter(basis=basis()).in_bulk(list(span.dates))
    counted = figures_of([span])
    differing = [day for day, row in stored.items() if _values(row) != _values(counted[day])]
    stale = stale_days()  # last: what changed since the stored figures were read is stale now
    return [] if stale is None else [day for day in differing if day not in stale]


def _values(row: DailyFigures) -> list:
    values = (getattr(row, name) for name in VALUES)
    return [bytes(value) if isinstance(value, memoryview) else value for value in values]


def _lock() -> None:
    """Lets no other process count days until the end of the transaction. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE tickets_dailyfigures IN SHARE ROW EXCLUSIVE MODE")
