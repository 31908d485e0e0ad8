"""Waiting with a reason and a day to wake up: what is asked, kept, shown, and ended."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actor import acting_as
from tickets import jobs
from tickets.actions import conversation, silence
from tickets.actions.conversation import Message
from tickets.history import timeline, verification
from tickets.models import ActivityLog, Notification, Ticket
from tickets.rules.waiting import Wait
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db
MONDAY = "2026-11-23T09:00:00Z"


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, phase="active")


def facts(client, ticket, **changed):
    """Saves the facts on the ticket's page of the admin, the others as they are."""
    url = f"/admin/tickets/ticket/{ticket.pk}/change/"
    form = client.get(url).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields}
    response = client.post(url, data | changed)
    ticket.refresh_from_db()
    return response


def waiting(ticket) -> tuple:
    return ticket.phase, ticket.waiting_for, ticket.wakes_on


def test_reason_and_day_are_saved_with_the_status_in_one_act(client_of, ann, alice, ticket):
    day = timezone.localdate() + timedelta(days=9)
    facts(client_of(ann), ticket, status=status("waiting").pk, waiting_for="supplier", wakes_on=day)
    assert waiting(ticket) == ("waiting", "supplier", day)
    row = ActivityLog.objects.get(verb="status_changed")
    assert row.changes.keys() == {"status", "waiting_for", "wakes_on"}
    assert Notification.objects.filter(person=alice, activity=row).count() == 1
    assert timeline.sentences([row], reader=alice)[1] == "Waiting for a third party."


def test_nobody_is_waited_for_where_nothing_is_said(ticket, ann):
    with acting_as(ann):
        ticket.set_status(status("waiting"))
    assert waiting(ticket) == ("waiting", "", None)
    assert ticket.silent_since is not None


def test_what_it_waits_for_is_said_with_the_status_or_stays(ticket, ann):
    day = date(2031, 1, 1)
    with acting_as(ann):
        ticket.set_status(status("waiting"), Wait("supplier", day))
        assert waiting(ticket) == ("waiting", "supplier", day)
        ticket.set_status(status("waiting"))
        assert waiting(ticket) == ("waiting", "supplier", day)
        ticket.set_status(status("waiting"), Wait(until=date(2032, 1, 1)))
        assert waiting(ticket) == ("waiting", "supplier", date(2032, 1, 1))
        ticket.set_status(status("waiting"), Wait("requester"))
        assert waiting(ticket) == ("waiting", "requester", None)
        ticket.set_status(status("active"), Wait("supplier", day))
        assert waiting(ticket) == ("active", "", None)
    assert list(verification.problems()) == []


@pytest.mark.parametrize("phase", ["active", "done"])
def test_leaving_the_phase_clears_it_without_noise(ticket, ann, alice, phase):
    with acting_as(ann):
        ticket.set_status(status("waiting"))
        ticket.remind()
    with acting_as(ann):
        ticket.set_status(status(phase))
    ticket.refresh_from_db()
    assert waiting(ticket) == (phase, "", None)
    assert (ticket.reminded_at, ticket.silent_since) == (None, None)
    row = ActivityLog.objects.first()
    assert (row.verb, len(timeline.sentences([row], reader=alice))) == ("status_changed", 1)
    assert list(verification.problems()) == []


def test_date_needs_a_day_that_is_still_to_come(client_of, ann, ticket):
    client, waits = client_of(ann), status("waiting").pk
    response = facts(client, ticket, status=waits, waiting_for="date")
    assert "Choose a date." in response.content.decode()
    response = facts(client, ticket, status=waits, waiting_for="date", wakes_on=timezone.localdate())
    assert "Choose a date in the future." in response.content.decode()
    assert ticket.phase == "active"


@pytest.mark.parametrize("day", ["2026-02-30", "soon", "99999-01-01", "2027-01-01\0"])
def test_impossible_day_is_an_error_at_the_field(client_of, ann, ticket, day):
    response = facts(client_of(ann), ticket, status=status("waiting").pk, waiting_for="date", wakes_on=day)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors.keys() == {"wakes_on"}


def test_reason_is_nothing_for_a_ticket_that_does_not_wait(client_of, ann, ticket):
    facts(client_of(ann), ticket, waiting_for="supplier", wakes_on="2031-01-01")
    assert waiting(ticket) == ("active", "", None)


def test_stale_save_of_the_status_keeps_what_somebody_else_set(ticket, ann):
    stale = Ticket.objects.get(pk=ticket.pk)
    ticket.set_status(status("waiting"))
    fresh = Ticket.objects.get(pk=ticket.pk)
    fresh.waiting_for, fresh.wakes_on = "supplier", date(2031, 1, 1)
    fresh.save()
    stale.set_status(status("waiting"))
    stale.refresh_from_db()
    assert waiting(stale) == ("waiting", "supplier", date(2031, 1, 1))


def test_requester_reads_what_it_waits_for(client_of, alice, ann, ticket):
    ticket.set_status(status("waiting"), Wait("requester"))
    assert "We need your reply" in client_of(alice).get(ticket.get_absolute_url()).content.decode()
    page = client_of(ann).get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode()
    assert "Waiting for Alice" in page


def test_it_reopens_on_its_day_and_the_assignee_is_notified(ticket, ann, alice):
    with time_machine.travel(MONDAY, tick=False):
        ticket.assignee, ticket.status = ann, status("waiting")
        ticket.waiting_for, ticket.wakes_on = "date", date(2026, 11, 26)
        ticket.save()
    with time_machine.travel("2026-11-25T23:00:00Z", tick=False):
        assert silence.wake() == 0
    with time_machine.travel("2026-11-26T00:05:00Z", tick=False):
        jobs.run_due()
        assert silence.wake() == 0
    ticket.refresh_from_db()
    assert waiting(ticket) == ("active", "", None)
    row = ActivityLog.objects.first()
    assert (row.actor, row.source) == (None, "system")
    notified = Notification.objects.filter(activity=row).values_list("address", flat=True)
    assert set(notified) == {ann.email, alice.email}
    assert timeline.sentences([row], reader=ann)[-1] == "The snooze date was reached."


def test_answer_by_the_requester_ends_the_waiting(ticket, alice):
    ticket.set_status(status("waiting"))
    with acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="Here it is"))
    ticket.refresh_from_db()
    assert waiting(ticket) == ("active", "", None)
    assert list(verification.problems()) == []


def test_save_of_another_field_by_a_stale_hand_keeps_the_silence(ticket, ann):
    """Ann opened the ticket while it was active; meanwhile it began to wait."""
    stale = Ticket.objects.get(pk=ticket.pk)
    ticket.set_status(status("waiting"), Wait("requester"))
    stale.set_priority("high")
    stale.refresh_from_db()
    assert waiting(stale) == ("waiting", "requester", None)
    assert stale.silent_since is not None
    assert list(verification.problems()) == []


def test_stale_hand_does_not_undo_that_it_is_done(ticket):
    stale = Ticket.objects.get(pk=ticket.pk)
    ticket.close()
    stale.set_priority("high")
    stale.refresh_from_db()
    assert (stale.phase, stale.done_at) == ("done", ticket.done_at)


def test_ticket_that_waits_without_a_reason_is_left_in_peace(client_of, ann, ticket):
    ticket.set_status(status("waiting"))
    # As an import or an upgrade leaves it.
    QuerySet(Ticket).filter(pk=ticket.pk).update(silent_since=None)
    facts(client_of(ann), ticket, priority="high")
    assert (ticket.priority, *waiting(ticket)) == ("high", "waiting", "", None)


def test_reason_is_asked_without_an_answer_that_is_there(client_of, ann, ticket):
    url = f"/admin/tickets/ticket/{ticket.pk}/change/"
    field = client_of(ann).get(url).context["adminform"].form["waiting_for"]
    assert not field.value()
    assert [value for value, _label in field.field.choices] == ["", "requester", "supplier", "date"]
    facts(client_of(ann), ticket, priority="high")
    assert waiting(ticket) == ("active", "", None)


def test_day_that_is_taken_away_is_logged(client_of, ann, alice, ticket):
    day = timezone.localdate() + timedelta(days=9)
    client = client_of(ann)
    facts(client, ticket, status=status("waiting").pk, waiting_for="supplier", wakes_on=day)
    facts(client, ticket, wakes_on="")
    row = ActivityLog.objects.first()
    assert timeline.sentences([row], reader=alice) == ["No longer snoozed."]


def test_today_is_that_of_the_helpdesk_wherever_the_agent_is(client_of, ann, ticket):
    """In Honolulu it is still the 25th; here the 26th has begun."""
    ann.time_zone = "Pacific/Honolulu"
    ann.save()
    with time_machine.travel("2026-11-26T05:00:00Z", tick=False):
        choice = {"status": status("waiting").pk, "waiting_for": "date"}
        response = facts(client_of(ann), ticket, **choice, wakes_on="2026-11-26")
        assert "Choose a date in the future." in response.content.decode()


def test_many_tickets_wait_by_the_action_and_the_log_stays_whole(client_of, ann, alice):
    tickets = [make_ticket(alice, phase="active") for _number in range(3)]
    with acting_as(ann):
        Ticket.objects.filter(pk__in=[one.pk for one in tickets]).change(status=status("waiting"))
    assert set(Ticket.objects.values_list("waiting_for", flat=True)) == {""}
    Ticket.objects.all().change(status=status("active"))
    assert set(Ticket.objects.values_list("waiting_for", "silent_since")) == {("", None)}
    assert list(verification.problems()) == []
