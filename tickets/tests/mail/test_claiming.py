"""Which rows of the outbox a worker takes next: the rows of one email, and none that another worker has."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.sending import claiming
from tickets.models import MailPreferences, Notification
from tickets.notifications import outbox
from tickets.rules.workflow import TAKE_BACK_PERIOD
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db
State = Notification.State
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture(autouse=True)
def noon(settings):
    settings.HAS_MAIL_PROVIDER = True
    with time_machine.travel(NOON, tick=False):
        yield


def claimed(moment: datetime = NOON) -> list[tuple]:
    """Who would get the next email, and what about."""
    return [(str(row.person), row.kind) for row in claiming.claim(moment)]


def act(ticket, author, priority: str = "high") -> None:
    """One act of two kinds: each of the ticket's people gets two rows."""
    ticket.status, ticket.priority = status("active"), priority
    with acting_as(author):
        ticket.save()


def test_claimed_row_is_leased_and_its_attempt_counted(alice):
    make_ticket(alice)
    (row,) = claiming.claim(NOON)
    stored = Notification.objects.get()
    for one in (row, stored):
        assert (one.state, one.attempts, one.leased_until) == (State.SENDING, 1, NOON + claiming.LEASE)
        assert one.message_id.startswith("<helpdesk-")
    assert row.message_id == stored.message_id
    assert claiming.claim(NOON) == []


def test_lease_that_has_ended_is_taken_over_under_the_same_message_id(alice):
    make_ticket(alice)
    (row,) = claiming.claim(NOON)
    assert claiming.claim(NOON + claiming.LEASE) == []
    (again,) = claiming.claim(NOON + claiming.LEASE + SECOND)
    assert (again.pk, again.message_id, again.attempts) == (row.pk, row.message_id, 2)


def test_rows_of_one_act_are_one_email(alice, bob, ann):
    ticket = make_ticket(alice)
    conversation.watch(ticket, bob)
    Notification.objects.all().delete()
    act(ticket, ann)
    rows = claiming.claim(NOON)
    assert {(str(row.person), row.kind) for row in rows} == {
        ("Alice Moreau", "status_changed"),
        ("Alice Moreau", "edited"),
    }
    assert {(row.state, row.attempts, row.leased_until) for row in rows} == {
        (State.SENDING, 1, NOON + claiming.LEASE)
    }
    assert len({row.message_id for row in rows}) == 1
    assert claimed() == [("Bob Ortiz", "status_changed")]
    assert claimed() == []


def test_email_waits_for_the_one_before_it_about_the_same_ticket_only(alice, ann):
    ticket, other = make_ticket(alice), make_ticket(alice)
    first, second = Notification.objects.order_by("pk")
    act(ticket, ann)
    assert claiming.claim(NOON) == [first]
    assert claiming.claim(NOON) == [second]
    assert claimed() == []
    claiming.finish([Notification.objects.get(pk=first.pk)], state=State.SENT)
    assert len(claimed()) == 2
    act(other, ann)
    assert claimed() == []


def test_email_waits_while_a_row_of_it_can_still_be_undone(alice, ann):
    ticket = make_ticket(alice)
    Notification.objects.all().delete()
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="It works."), status=status("done"))
    held = Notification.objects.get(kind="replied").next_try_at
    assert held == NOON + TAKE_BACK_PERIOD
    assert claimed(held - SECOND) == []
    assert len(claimed(held)) == 2


def test_emails_about_the_account_are_one_each(alice):
    for kind in ("welcome", "password_changed"):
        outbox.enqueue_account_mail(alice, kind, address=alice.email)
    assert claimed() == [("Alice Moreau", "welcome")]
    assert claimed() == [("Alice Moreau", "password_changed")]


def test_email_that_is_due_for_longest_is_the_first(alice, bob):
    make_ticket(alice)
    make_ticket(bob)
    Notification.objects.filter(person=bob).update(next_try_at=NOON - MINUTE)
    assert claimed() == [("Bob Ortiz", "created")]
    assert claimed() == [("Alice Moreau", "created")]


def test_daily_email_has_all_due_rows_of_its_person(alice, bob, ann):
    for person in (alice, bob):
        MailPreferences.objects.create(
            person=person, **dict.fromkeys(MailPreferences.KINDS, "digest"), digest_at=time(13)
        )
    tickets = [make_ticket(person) for person in (alice, alice, bob)]
    act(tickets[0], ann)
    assert claimed() == []
    one = NOON + timedelta(hours=1)
    assert sorted(claimed(one)) == [
        ("Alice Moreau", "created"),
        ("Alice Moreau", "created"),
        ("Alice Moreau", "edited"),
        ("Alice Moreau", "status_changed"),
    ]
    assert claimed(one) == [("Bob Ortiz", "created")]


def test_daily_email_and_those_at_once_do_not_wait_for_each_other(alice, ann):
    MailPreferences.objects.create(
        person=alice, **dict.fromkeys(MailPreferences.KINDS, "digest") | {"edits": "now"}, digest_at=time(13)
    )
    ticket = make_ticket(alice)
    act(ticket, ann)
    assert claimed() == [("Alice Moreau", "edited")]
    one = NOON + timedelta(hours=1)
    Notification.objects.filter(kind="edited").update(leased_until=one + MINUTE)
    assert sorted(claimed(one)) == [("Alice Moreau", "created"), ("Alice Moreau", "status_changed")]


def test_many_rows_that_must_wait_hide_no_other(alice, bob, ann):
    """The search looks at a few rows first: here all of them wait for the one that is at the provider."""
    few = claiming.FEW_FIRST[0]
    ticket = make_ticket(alice)
    assert len(claiming.claim(NOON)) == 1
    for number in range(few):
        with acting_as(ann):
            ticket.set_priority("low" if number % 2 else "high")
    Notification.objects.filter(state=State.WAITING).update(next_try_at=NOON)
    assert Notification.objects.due(NOON).count() == few
    with time_machine.travel(NOON + SECOND, tick=False):
        make_ticket(bob)
    assert claimed(NOON + SECOND) == [("Bob Ortiz", "created")]


def test_row_that_another_worker_takes_meanwhile_is_left_to_it(alice, bob, monkeypatch):
    make_ticket(alice)
    make_ticket(bob)
    find = claiming._first_due

    def find_too_late(now, senders):
        monkeypatch.setattr(claiming, "_first_due", find)
        first = find(now, senders)
        assert claiming.claim(now) == [first]
        return first

    monkeypatch.setattr(claiming, "_first_due", find_too_late)
    assert claimed() == [("Bob Ortiz", "created")]
    assert set(Notification.objects.values_list("attempts", flat=True)) == {1}


def test_row_that_is_given_back_was_not_tried(alice):
    make_ticket(alice)
    claiming.give_back(claiming.claim(NOON))
    row = Notification.objects.get()
    assert (row.state, row.attempts, row.leased_until) == (State.WAITING, 0, None)
    assert claiming.claim(NOON) == [row]


@pytest.mark.parametrize(("options", "attempts"), [({}, 1), ({"counts": True}, 1), ({"counts": False}, 0)])
def test_row_that_waits_again_says_until_when_and_why(alice, options, attempts):
    make_ticket(alice)
    claiming.wait(claiming.claim(NOON), until=NOON + MINUTE, last_error="500", **options)
    row = Notification.objects.get()
    assert (row.state, row.next_try_at, row.last_error) == (State.WAITING, NOON + MINUTE, "500")
    assert (row.attempts, row.leased_until) == (attempts, None)
    assert claiming.claim(NOON + MINUTE - SECOND) == []
