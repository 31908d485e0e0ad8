"""Many mails to one person on one ticket in a short time become one (THREATS 91)."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.sending.delivery import deliver_due
from tickets.models import Notification
from tickets.notifications import folding
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
PRIORITIES = ("high", "low")
ACT = uuid.UUID("12345678-1234-4234-8234-123456789abc")
OTHER_FOLD = uuid.uuid5(uuid.UUID("87654321-4321-4321-8321-123456789abc"), "fold")


@pytest.fixture
def ticket(mailgun, alice, bob):
    with time_machine.travel(NOON - timedelta(hours=1), tick=False):
        ticket = make_ticket(alice)
        conversation.watch(ticket, bob)
        deliver_due()
    mailgun.mails.clear()
    return ticket


def storm(ticket, ann, mailgun, *, updates: int, seconds: int, start=NOON) -> list[tuple[datetime, str]]:
    """Updates every `seconds`, a worker all the time; the mails with when they left."""
    left = []
    with time_machine.travel(start, tick=False) as clock:
        for step in range(updates * seconds // 5 + 300):
            if step * 5 % seconds == 0 and (number := step * 5 // seconds) < updates:
                with acting_as(ann):
                    ticket.set_priority(PRIORITIES[number % 2])
            before = len(mailgun.mails)
            deliver_due()
            now = start + timedelta(seconds=5 * step)
            left += [(now, mail["to"]) for mail in mailgun.mails[before:]]
            clock.shift(timedelta(seconds=5))
    return left


def test_thirty_updates_in_ten_minutes_are_ten_mails(mailgun, ticket, ann):
    left = storm(ticket, ann, mailgun, updates=30, seconds=20)
    assert Counter(to for _when, to in left) == {"alice@example.com": 10}
    assert left[-1][0] == NOON + folding.WINDOW
    text = mailgun.mails[-1]["text"]
    assert text.count("Ann Weber changed the priority") == 21
    assert "Several things happened in a short time. Here they are in one email." in text
    assert mailgun.mails[-1]["subject"] == mailgun.mails[0]["subject"]
    assert mailgun.mails[-1]["h:In-Reply-To"] == mailgun.mails[-2]["h:Message-Id"]
    assert set(Notification.objects.values_list("state", flat=True)) == {"sent"}


def test_storm_without_end_stays_at_ten_mails_in_any_ten_minutes(mailgun, ticket, ann):
    left = [when for when, _to in storm(ticket, ann, mailgun, updates=90, seconds=20)]
    for when in left:
        assert len([other for other in left if when <= other < when + folding.WINDOW]) <= 10
    notified = sum(mail["text"].count("Ann Weber changed the priority") for mail in mailgun.mails)
    assert notified == 90


def test_nine_updates_are_nine_mails(mailgun, ticket, ann):
    assert len(storm(ticket, ann, mailgun, updates=9, seconds=20)) == 9


def test_other_people_and_other_tickets_are_notified_as_ever(mailgun, ticket, alice, bob, ann):
    with time_machine.travel(NOON, tick=False):
        for number in range(12):
            with acting_as(ann):
                ticket.set_priority(PRIORITIES[number % 2])
        mailgun.mails.clear()
        other = make_ticket(alice)
        with acting_as(alice):
            conversation.reply(ticket, Message(author=alice, body="So many!"))
    with time_machine.travel(NOON + timedelta(seconds=30), tick=False):
        deliver_due()
    assert {mail["to"] for mail in mailgun.mails if "So many!" in mail["text"]} == {bob.email}
    assert Notification.objects.get(ticket=other).state == "sent"


def test_reply_can_be_taken_back_in_a_fold_too(mailgun, ticket, ann):
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(10):
            with acting_as(ann):
                ticket.set_priority(PRIORITIES[number % 2])
        clock.shift(folding.WINDOW - timedelta(seconds=5))
        with acting_as(ann):
            comment = conversation.reply(ticket, Message(author=ann, body="To the wrong one, sorry"))
        clock.shift(timedelta(seconds=10))
        deliver_due()
        with acting_as(ann):
            conversation.take_back(comment, author=ann)
        clock.shift(timedelta(seconds=60))
        deliver_due()
    assert len([mail for mail in mailgun.mails if mail["to"] == "alice@example.com"]) == 10
    assert all("wrong one" not in mail["text"] for mail in mailgun.mails)


# Which email an act is in, asked directly
def sent_before(ticket, person, count: int, **last) -> list[Notification]:
    """`count` emails in the last nine minutes, one a minute, the newest with the fields `last`."""
    rows = []
    for number in range(count):
        at = NOON - timedelta(minutes=number)
        row = Notification(kind="edited", person=person, ticket=ticket, address=person.email, state="sent")
        row.batch, row.next_try_at, row.message_id = uuid.uuid4(), at, f"<{number}@mg.example.com>"
        rows.append(row)
    for name, value in last.items():
        setattr(rows[0], name, value)
    return Notification.objects.bulk_create(rows)


def placed(ticket, person, batch=ACT) -> tuple:
    return folding.windows_of_all([ticket.pk], [person], now=NOON)[ticket.pk, person.pk].place(batch)


def test_tenth_email_waits_until_the_first_is_ten_minutes_old(ticket, alice):
    sent_before(ticket, alice, folding.MOST - 1)
    assert placed(ticket, alice) == (ACT, None)
    sent_before(ticket, alice, 1)
    batch, moment = placed(ticket, alice)
    assert batch.version == folding.FOLD
    assert moment == NOON - timedelta(minutes=folding.MOST - 2) + timedelta(minutes=10)


def test_second_row_of_an_act_is_in_the_email_of_the_first(ticket, alice):
    sent_before(ticket, alice, folding.MOST, batch=ACT)
    assert placed(ticket, alice) == (ACT, None)


def test_later_acts_are_in_the_email_that_waits_already(ticket, alice):
    moment = NOON + timedelta(minutes=3)
    waiting = {"batch": OTHER_FOLD, "next_try_at": moment, "message_id": "", "state": "waiting"}
    sent_before(ticket, alice, folding.MOST, **waiting)
    assert placed(ticket, alice) == (OTHER_FOLD, moment)


@pytest.mark.parametrize(
    "change",
    [
        {"message_id": "<x@mg.example.com>"},  # a worker has it already
        {"next_try_at": NOON - timedelta(seconds=1)},  # a worker may take it at any moment
        {"batch": uuid.uuid4()},  # it is one act, which waits until it can't be undone
    ],
    ids=["being sent", "due", "one act"],
)
def test_nothing_is_added_to_another_email(ticket, alice, change):
    fold = {"batch": OTHER_FOLD, "next_try_at": NOON + timedelta(minutes=3), "message_id": ""}
    sent_before(ticket, alice, folding.MOST, **fold | change)
    batch, _moment = placed(ticket, alice)
    assert batch == uuid.uuid5(ACT, "fold")


@pytest.mark.parametrize(
    "change",
    [
        {"next_try_at": NOON - timedelta(minutes=10)},
        {"is_digest": True},
        {"state": "suppressed"},
    ],
    ids=["too old", "daily", "suppressed"],
)
def test_email_that_does_not_count(ticket, alice, change):
    sent_before(ticket, alice, folding.MOST, **change)
    assert placed(ticket, alice) == (ACT, None)


def test_one_query_for_all_people(ticket, alice, bob, ann, django_assert_num_queries):
    activity = ticket.activities.first()
    with django_assert_num_queries(1):
        folding.windows(activity, [alice, bob, ann], now=timezone.now())
