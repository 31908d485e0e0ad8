"""Days that count, by the clock of the helpdesk."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from tickets.rules.calendar import add_working_days, is_working_day, today, working_seconds

FRIDAY = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "day"), [(0, 20), (1, 23), (2, 24), (5, 27), (6, 30), (-1, 19), (-4, 16), (-5, 13)]
)
def test_weekend_is_passed_over(days, day):
    assert add_working_days(FRIDAY, days) == FRIDAY.replace(day=day)


def test_from_a_weekend_the_next_working_day_is_the_first():
    sunday = datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert add_working_days(sunday, 1) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert add_working_days(sunday, -1) == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert add_working_days(sunday, 0) == sunday


def test_hour_stays_when_clocks_are_set_and_the_zone_of_the_moment_too(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    later = add_working_days(datetime(2026, 10, 23, 8, tzinfo=UTC), 1)
    assert later == datetime(2026, 10, 26, 9, tzinfo=UTC)
    assert later.tzinfo == UTC
    tokyo = ZoneInfo("Asia/Tokyo")
    assert add_working_days(datetime(2026, 11, 20, 12, tzinfo=tokyo), 1).tzinfo == tokyo


def test_days_are_those_of_the_setting(settings):
    settings.WORKING_DAYS = frozenset({5})
    assert is_working_day(date(2026, 11, 21))
    assert not is_working_day(date(2026, 11, 20))
    assert add_working_days(FRIDAY, 2) == FRIDAY.replace(day=28)


def test_today_is_by_the_helpdesks_clock(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    with time_machine.travel(datetime(2026, 11, 20, 20, tzinfo=UTC), tick=False):
        assert today() == date(2026, 11, 21)


def test_minutes_and_seconds_count():
    start = datetime(2026, 11, 20, 9, 0, 1, tzinfo=UTC)
    assert working_seconds(start, start.replace(minute=1, second=3)) == 62
    assert working_seconds(start, start.replace(hour=17, second=0)) == 8 * 3600 - 1


def test_monday_counts_from_its_own_morning():
    sunday = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert working_seconds(sunday, datetime(2026, 11, 23, 10, tzinfo=UTC)) == 3600
