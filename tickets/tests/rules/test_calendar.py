"""Working time: the pure function, and what reports make of it, on PostgreSQL in SQL."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from tickets.models import Ticket
from tickets.reports.durations import durations
from tickets.reports.periods import Comparison, Span
from tickets.rules.calendar import working_seconds
from tickets.tests.factories import make_ticket

HOUR = 3600


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-23T10:00", "2026-11-23T12:30", 2.5),
        ("2026-11-23T07:00", "2026-11-23T10:00", 1),  # before it opens
        ("2026-11-23T16:00", "2026-11-23T22:00", 1),  # after it closes
        ("2026-11-23T16:00", "2026-11-24T10:00", 2),  # over night
        ("2026-11-20T16:00", "2026-11-23T10:00", 2),  # over a weekend
        ("2026-11-21T10:00", "2026-11-22T10:00", 0),  # at the weekend
        ("2026-11-02T09:00", "2026-11-30T09:00", 160),  # four weeks
        ("2026-11-23T12:00", "2026-11-23T10:00", -2),
    ],
)
def test_only_working_hours_count(start, end, hours):
    assert working_seconds(at(start), at(end)) == hours * HOUR


def test_hours_are_those_of_the_helpdesks_clock(settings):
    """THREATS 122: on the day that the clock changes, too."""
    settings.TIME_ZONE = "Europe/Berlin"
    assert working_seconds(at("2026-11-23T08:00"), at("2026-11-23T09:00")) == HOUR
    assert working_seconds(at("2026-11-23T07:00"), at("2026-11-23T08:00")) == 0
    assert working_seconds(at("2026-10-23T08:00"), at("2026-10-26T09:00")) == 8 * HOUR


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    ("days", "opening"), [({0, 1, 2, 3, 4}, (9, 17)), ({5, 6}, (0, 24)), ({6, 0, 2}, (7, 12))]
)
def test_reports_say_the_same(settings, alice, zone, days, opening):
    settings.TIME_ZONE, settings.WORKING_DAYS = zone, frozenset(days)
    settings.WORKING_HOURS = (opening[0] * HOUR, opening[1] * HOUR)
    chance = random.Random(7)
    ticket = make_ticket(alice)
    for _number in range(40):
        start = at("2026-01-01T00:00") + timedelta(seconds=chance.randint(0, 365 * 86400))
        end = start + timedelta(seconds=chance.randint(0, 40 * 86400))
        Ticket.objects.filter(pk=ticket.pk).update(created_at=start, done_at=end)
        days = Span(end.date() - timedelta(days=1), end.date() + timedelta(days=1))
        found = durations("done_at", Comparison.of(days))["working"].median.now
        assert found == working_seconds(start, end), (start, end)
