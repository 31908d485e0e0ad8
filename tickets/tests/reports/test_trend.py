"""The trend of a report: created, solved and open tickets by day, week or month."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tickets.models import Ticket
from tickets.reports import charts, figures
from tickets.reports.figures import Pair
from tickets.reports.key_figures import KeyFigure
from tickets.reports.periods import DAY, Span
from tickets.reports.trend import Unit, parts_of, trend, unit_of
from tickets.reports.trend_chart import TrendChart
from tickets.tests.factories import make_ticket

NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))
YEAR = Span(date(2026, 1, 1), date(2026, 12, 31))


def at(month: int, day: int, hour: int = 10):
    return time_machine.travel(datetime(2026, month, day, hour, tzinfo=UTC), tick=False)


def trend_of(span: Span):
    return trend(span, open_now=figures.counted().open().count())


@pytest.fixture
def tickets(alice):
    """Five tickets: solved in November, solved in December, two open, and one that is merged."""
    with at(10, 20):
        first = make_ticket(alice)
    with at(11, 3):
        second = make_ticket(alice)
        open_one = make_ticket(alice)
    with at(11, 5):
        first.close()
    with at(12, 1):
        make_ticket(alice)
        second.close()
    with at(11, 6):
        merged = make_ticket(alice)
        merged.merged_into = open_one
        merged.save()


@pytest.mark.django_db
def test_each_day_has_its_created_solved_and_open_tickets(tickets):
    with at(12, 2):
        found = trend_of(NOVEMBER)
    assert found.unit == Unit.DAY
    assert found.open_before == 1
    days = {point.span.first.day: (point.created, point.solved, point.open) for point in found.points}
    assert len(days) == 30
    assert days[2] == (0, 0, 1)
    assert days[3] == (2, 0, 3)
    assert days[5] == (0, 1, 2)
    assert days[6] == (0, 0, 2)  # a merged ticket counts with its target
    assert days[30] == (0, 0, 2)


@pytest.mark.django_db
def test_each_month_of_a_year(tickets):
    with at(12, 2):
        found = trend_of(YEAR)
    assert found.unit == Unit.MONTH
    months = [(point.created, point.solved, point.open) for point in found.points]
    assert months[9:] == [(1, 0, 1), (2, 1, 2), (1, 1, 2)]
    assert months[:9] == [(0, 0, 0)] * 9


@pytest.mark.django_db
def test_days_are_those_of_the_reader(alice):
    with at(11, 3, 20):  # the fourth in Tokyo
        make_ticket(alice)
    with at(11, 10), timezone.override("Asia/Tokyo"):
        found = trend_of(NOVEMBER)
    assert [point.span.first.day for point in found.points if point.created] == [4]


@pytest.mark.django_db
def test_first_and_last_moment_of_a_day_count(alice):
    for hour, minute, second in ((0, 0, 0), (23, 59, 59)):
        with time_machine.travel(datetime(2026, 11, 3, hour, minute, second, tzinfo=UTC), tick=False):
            make_ticket(alice)
    with at(11, 10):
        found = trend_of(NOVEMBER)
    assert [(point.span.first.day, point.created) for point in found.points if point.created] == [(3, 2)]
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize(
    ("days", "unit"),
    [(1, Unit.DAY), (31, Unit.DAY), (32, Unit.WEEK), (182, Unit.WEEK), (183, Unit.MONTH), (366, Unit.MONTH)],
)
def test_unit_fits_the_length(days, unit):
    first = date(2026, 1, 1)
    assert unit_of(Span(first, first + (days - 1) * DAY)) == unit


@given(st.dates(date(3, 1, 1), date(9998, 1, 1)), st.integers(0, 400), st.sampled_from(Unit))
def test_parts_fill_the_span_without_gaps(first, days, unit):
    span = Span(first, first + days * DAY)
    parts = list(parts_of(span, unit))
    assert (parts[0].first, parts[-1].last) == (span.first, span.last)
    assert all(one.last + DAY == following.first for one, following in pairwise(parts))
    if unit == Unit.WEEK:
        assert all(part.first.weekday() == 0 for part in parts[1:])
    if unit == Unit.MONTH:
        assert all(part.first.day == 1 for part in parts[1:])


@given(st.integers(0, 10**9))
def test_scale_is_round_and_holds_the_largest_value(most):
    ticks = charts.Scale.up_to(most).ticks
    assert ticks[-1] == 0
    assert ticks[0] >= max(most, 1)
    assert 2 <= len(ticks) <= charts.MOST_LINES + 1
    assert len({first - second for first, second in pairwise(ticks)}) == 1


@pytest.mark.django_db
def test_labels_are_few_and_name_the_month(tickets):
    with at(12, 2):
        labels = TrendChart(trend_of(NOVEMBER)).labels
    assert [text for text, _is_narrow in labels if text][:3] == ["1 Nov", "4", "7"]
    assert 3 <= sum(is_narrow for _text, is_narrow in labels) <= 4


@pytest.mark.parametrize(
    ("pair", "change", "tone"),
    [
        (Pair(5, 8), "3 fewer", "good"),
        (Pair(8, 5), "3 more", "bad"),
        (Pair(5, 5), "No change", ""),
        (Pair(5, None), "", ""),
    ],
)
def test_change_of_a_count_is_said_in_words(pair, change, tone):
    figure = KeyFigure("reopened", "Reopened", pair, "", more_is_better=False)
    assert (figure.change, figure.tone) == (change, tone)


@pytest.mark.parametrize(
    ("pair", "change", "tone"),
    [
        (Pair(3600, 7200), "50% faster", "good"),
        (Pair(7200, 3600), "100% slower", "bad"),
        (Pair(3600, 3601), "No change", ""),
        (Pair(3600, 0), "", ""),
        (Pair(None, 3600), "", ""),
    ],
)
def test_change_of_a_time_is_said_in_words(pair, change, tone):
    figure = KeyFigure("reply", "First reply", pair, "", is_hours=True, more_is_better=False)
    assert (figure.change, figure.tone) == (change, tone)


@pytest.mark.parametrize(
    ("seconds", "now", "number", "unit"),
    [
        (0, "0 min", "0", "min"),
        (59 * 60 + 29, "59 min", "59", "min"),
        (59 * 60 + 30, "1.0 h", "1.0", "business hours"),
        (5400, "1.5 h", "1.5", "business hours"),
        (None, "–", "–", ""),
    ],
)
def test_less_than_an_hour_is_shown_in_minutes(seconds, now, number, unit):
    figure = KeyFigure("reply", "First reply", Pair(seconds, None), "", is_hours=True, is_working=True)
    assert (figure.now, figure.number, figure.unit) == (now, number, unit)
