"""Reports from daily figures are what the rows say, whatever happened to the tickets."""

import random
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import ProtectedError
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.actor import acting_as
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.history import recording
from tickets.jobs import JOBS
from tickets.models import DailyFigures, StaleMoment, Ticket, triggers
from tickets.reports import daily_keeping, page, sources
from tickets.reports.daily_counting import pack, unpack
from tickets.reports.durations import percentiles
from tickets.reports.periods import DAY, Comparison, NamedPeriod, Span, runs
from tickets.reports.sources import Days, Rows
from tickets.tests.factories import category, make_ticket

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
COMPARISONS = [
    Comparison.of(Span(date(2026, 11, 16), date(2026, 11, 22))),
    NamedPeriod.THIS_MONTH.comparison(NOW.date()),
    NamedPeriod.LAST_MONTH.comparison(NOW.date()),
    NamedPeriod.THIS_QUARTER.comparison(NOW.date()),
]


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    monkeypatch.setattr(sources, "MOST_MISSING", 10_000)
    monkeypatch.setattr(sources, "MOST_RUNS", 10_000)
    with time_machine.travel(NOW, tick=False):
        yield


def ago(days: int, hour: int = 10):
    return time_machine.travel(NOW.replace(hour=hour) - days * DAY, tick=False)


def assert_same(monkeypatch):
    """The report from daily figures, and today's tickets, is the report from all tickets."""
    for compared in COMPARISONS:
        assert isinstance(sources.source(compared), Days)
        found = page.build(compared)
        with monkeypatch.context() as patch:
            patch.setattr(page, "source", Rows)
            assert found == page.build(compared)


def stale_days() -> set[str]:
    return {str(day) for day in sources.stale_days()}


class Helpdesk:
    """People do things to random tickets on random days."""

    def __init__(self, chance: random.Random, alice, staff):
        self.chance, self.alice, self.staff = chance, alice, staff
        self.categories = [category("Other"), category("Email Support")]

    def act(self) -> None:
        with ago(self.chance.choice([0, 0, 1, 2, 5, 20, 50]), self.chance.randint(0, 23)):
            acts = [self.file, self.file, self.load, *[self.change] * 6]
            # Some acts are refused: deleting a target, merging into a merged ticket.
            with acting_as(self.chance.choice(self.staff)), suppress(ProtectedError, ValidationError):
                self.chance.choice(acts)()

    def file(self) -> None:
        chosen = {"category": self.chance.choice(self.categories), "priority": self.priority()}
        make_ticket(self.alice, **chosen)

    def load(self) -> None:
        """As an import does."""
        at = timezone.now() - timedelta(hours=self.chance.randint(1, 900))
        ticket = Ticket(
            subject="Imported",
            description="Old",
            category=self.categories[0],
            status=Ticket.objects.first().status
            if Ticket.objects.exists()
            else make_ticket(self.alice).status,
            requester=self.alice,
            created_at=at,
            first_replied_at=at + timedelta(hours=2),
            done_at=at + timedelta(hours=self.chance.randint(2, 90)),
        )
        Ticket.objects.bulk_load([ticket], record=recording.record_bulk)

    def priority(self) -> str:
        return self.chance.choice(Ticket.Priority.values)

    def change(self) -> None:
        tickets = list(Ticket.objects.filter(merged_into=None).order_by("pk"))
        if len(tickets) < 2:
            return self.file()
        ticket, other = self.chance.sample(tickets, 2)
        return self.chance.choice(
            [
                lambda: ticket.set_priority(self.priority()),
                lambda: self.set(ticket, category=self.chance.choice(self.categories)),
                lambda: self.set(ticket, assignee=self.chance.choice([None, *self.staff])),
                lambda: ticket.is_done or ticket.close(),
                lambda: ticket.is_done and ticket.reopen(),
                lambda: conversation.reply(ticket, Message(author=self.staff[0], body="Look here")),
                lambda: merging.merge(ticket, other),
                ticket.delete,
            ]
        )()

    def set(self, ticket: Ticket, **values) -> None:
        for name, value in values.items():
            setattr(ticket, name, value)
        ticket.save()


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_reports_say_what_the_rows_say_after_random_acts(seed, monkeypatch, settings, alice, ann, sam):
    settings.TIME_ZONE = ["UTC", "Europe/Berlin"][seed % 2]
    helpdesk = Helpdesk(random.Random(seed), alice, [ann, sam])
    for _round in range(3):
        for _act in range(12):
            helpdesk.act()
        assert_same(monkeypatch)  # while days are missing and stale
        daily_keeping.keep()
        assert not StaleMoment.objects.exists()
        assert list(daily_keeping.missing()) == []
        assert list(daily_keeping.differences()) == []
        assert_same(monkeypatch)


@pytest.fixture
def counted(alice, ann):
    """A ticket of the 15th, solved on the 18th, and one of the 16th; all days are counted."""
    with ago(10), acting_as(ann):
        first = make_ticket(alice, subject="first")
    with ago(9), acting_as(ann):
        second = make_ticket(alice, subject="second")
    with ago(7), acting_as(ann):
        first.close()
    daily_keeping.keep()
    return first, second


@pytest.mark.django_db
def test_days_that_have_ended_are_kept_and_today_is_read_from_its_tickets(counted, alice):
    assert DailyFigures.objects.count() == 10  # the 15th to yesterday
    make_ticket(alice)
    daily_keeping.keep()
    assert DailyFigures.objects.count() == 10
    compared = NamedPeriod.THIS_WEEK.comparison(NOW.date())
    assert sources.source(compared).tally().total["created"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "days"),
    [
        (lambda first, second: first.set_priority("high"), {"2026-11-15", "2026-11-18"}),
        (lambda first, second: second.set_priority("high"), {"2026-11-16"}),
        (lambda first, second: first.reopen(), {"2026-11-15", "2026-11-18"}),
        (lambda first, second: first.delete(), {"2026-11-15", "2026-11-18"}),
        (lambda first, second: merging.merge(second, first), {"2026-11-16", "2026-11-25"}),
        (lambda first, second: Ticket.objects.filter(pk=second.pk).update(first_replied_at=NOW), None),
    ],
)
def test_what_changes_old_days_makes_them_stale(counted, ann, change, days):
    with acting_as(ann):
        change(*counted)
    assert stale_days() == days or {"2026-11-16", "2026-11-25"}
    daily_keeping.keep()
    assert stale_days() == set()
    assert list(daily_keeping.differences()) == []


@pytest.mark.django_db
def test_an_assignee_counts_only_for_solved_tickets(counted, ann, sam):
    first, second = counted
    with acting_as(sam):
        second.assign(ann)
        assert stale_days() == set()
        first.assign(sam)
    assert "2026-11-18" in stale_days()


@pytest.mark.django_db
def test_command_says_which_days_differ_and_rebuilds_them(counted, capsys):
    DailyFigures.objects.filter(day="2026-11-15").update(resolution_hours=pack([1]))
    with pytest.raises(CommandError, match="1 days differ"):
        call_command("rebuild_daily_figures", check=True)
    assert "2026-11-15" in capsys.readouterr().err
    call_command("rebuild_daily_figures")
    assert capsys.readouterr().out == "Counted 10 days.\n"
    call_command("rebuild_daily_figures", check=True)
    assert capsys.readouterr().out == "The daily figures of 10 days are right.\n"


@pytest.mark.django_db
def test_daily_check_logs_and_mends_a_wrong_day(counted, caplog):
    DailyFigures.objects.filter(day="2026-11-18").update(counts={"created": {}, "solved": {}})
    (check,) = [job.run for job in JOBS if job.name == "check_daily_figures"]
    check()
    assert "2026-11-18" in caplog.text
    assert list(daily_keeping.differences()) == []


@pytest.mark.django_db
def test_other_business_hours_need_other_figures(counted, settings):
    settings.WORKING_HOURS = (8 * 3600, 16 * 3600)
    assert sum(span.days for span in daily_keeping.missing()) == 10
    daily_keeping.keep()
    assert list(daily_keeping.missing()) == []


@pytest.mark.django_db
def test_readers_with_other_days_read_the_tickets(counted, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    daily_keeping.keep()
    for zone, kind in (("Europe/Berlin", Days), ("Europe/Paris", Days), ("Asia/Kolkata", Rows)):
        with timezone.override(zone):
            assert isinstance(sources.source(COMPARISONS[0]), kind)


@pytest.mark.django_db
def test_reports_read_the_tickets_where_too_much_is_missing_or_stale(counted, monkeypatch):
    monkeypatch.setattr(sources, "MOST_MISSING", 3)
    assert isinstance(sources.source(COMPARISONS[0]), Days)
    monkeypatch.setattr(sources, "MOST_STALE", 1)
    for _number in range(2):
        StaleMoment.objects.create(at=NOW)
    assert isinstance(sources.source(COMPARISONS[0]), Rows)
    StaleMoment.objects.all().delete()
    DailyFigures.objects.all().delete()
    assert isinstance(sources.source(COMPARISONS[0]), Rows)


@pytest.mark.django_db
def test_triggers_that_a_migration_dropped_are_restored(counted):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps the triggers of an altered table.")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER stale_moment_changed")
    call_command("migrate", verbosity=0)
    counted[1].set_priority("high")
    assert stale_days() == {"2026-11-16"}


@pytest.mark.django_db
def test_triggers_can_be_dropped_and_created(counted):
    triggers.drop(connection)
    counted[1].set_priority("high")
    assert stale_days() == set()
    triggers.restore(connection)
    counted[1].set_priority("low")
    assert stale_days() == {"2026-11-16"}


@given(st.lists(st.lists(st.integers(0, 2**31)), max_size=6))
def test_percentiles_of_sorted_parts_are_those_of_all_values(parts):
    everything = sorted(value for part in parts for value in part)
    assert percentiles([unpack(pack(part)) for part in parts]) == percentiles([everything])
    if everything:
        place = 0.9 * (len(everything) - 1)
        low, high = everything[int(place)], everything[min(int(place) + 1, len(everything) - 1)]
        assert percentiles([everything])[1] == pytest.approx(low + (high - low) * (place % 1))


@given(st.sets(st.dates(date(2026, 1, 1), date(2026, 3, 1))))
def test_runs_are_the_days_in_order(days):
    found = list(runs(sorted(days), longest=5))
    assert [day for span in found for day in span.dates] == sorted(days)
    assert all(span.days <= 5 for span in found)
