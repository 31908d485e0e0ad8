"""What stands in a row of the outbox: for whom, where to, with which others, and when it leaves."""

from contextlib import nullcontext
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine

from accounts.actor import acting_as, quietly
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, handing_over, many
from tickets.actions.conversation import Message
from tickets.models import ActivityLog, Handover, InboundEmail, MailPreferences, Notification
from tickets.models.notification import HANDED_OVER, HELD
from tickets.notifications import outbox
from tickets.rules.workflow import TAKE_BACK_PERIOD
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
Wish = MailPreferences.Wish


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def kim(roles):
    """Who leaves."""
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def ben(roles):
    return make_person("Ben Adler", role=Role.AGENT)


def test_row_belongs_to_its_act(alice, ann):
    ticket = make_ticket(alice)
    Notification.objects.all().delete()
    with acting_as(ann):
        ticket.set_status(status("waiting"))
    row, activity = Notification.objects.get(), ActivityLog.objects.get(verb="status_changed")
    assert (row.kind, row.reason, row.person, row.address) == (
        "status_changed",
        "requester",
        alice,
        alice.email,
    )
    assert (row.activity, row.ticket, row.batch) == (activity, ticket, activity.batch)
    assert (row.created_at, row.next_try_at, row.is_digest) == (NOON, NOON, False)


def test_reply_waits_until_it_can_be_taken_back_no_more(alice, ann):
    ticket = make_ticket(alice)
    Notification.objects.all().delete()
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Restart it."))
    row = Notification.objects.get(kind="replied")
    assert row.created_at == NOON
    assert row.next_try_at == NOON + TAKE_BACK_PERIOD


def test_quiet_act_leaves_no_row(alice, ann):
    ticket = make_ticket(alice)
    Notification.objects.all().delete()
    with acting_as(ann), quietly():
        ticket.set_status(status("waiting"))
    assert ActivityLog.objects.filter(verb="status_changed").exists()
    assert not Notification.objects.exists()


@pytest.mark.parametrize("is_quiet", [False, True])
def test_one_act_on_many_tickets_queues_a_row_for_each(alice, bob, ann, is_quiet):
    tickets = [make_ticket(person) for person in (alice, bob, alice)]
    Notification.objects.all().delete()
    manner = quietly() if is_quiet else nullcontext()
    with acting_as(ann), manner, many.locked_tickets([ticket.pk for ticket in tickets]) as rows:
        for row in rows:
            row.set_status(status("waiting"))
    queued = set(Notification.objects.values_list("person", "ticket", "kind", "next_try_at"))
    assert ActivityLog.objects.filter(verb="status_changed").count() == 3
    assert queued == (
        set()
        if is_quiet
        else {(ticket.requester_id, ticket.pk, "status_changed", NOON) for ticket in tickets}
    )


# What somebody who left leaves to others
def hand_over(person, *, to=None, by=None) -> Handover:
    person.is_active = False
    with acting_as(by):
        person.save()
    Handover.objects.update(to=to)
    handing_over.hand_over()
    return Handover.objects.get()


def test_who_gets_tickets_has_one_row_of_the_handover(alice, kim, ben):
    category().people.add(ben)
    for _number in range(2):
        make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    handover = hand_over(kim, to=ben)
    row = Notification.objects.get()
    assert (row.kind, row.reason, row.person, row.address) == (HANDED_OVER, "assignee", ben, ben.email)
    assert (row.ticket, row.activity, row.batch) == (None, None, handover.batch)
    assert (row.created_at, row.next_try_at) == (NOON, NOON)


def test_people_of_the_categories_get_a_row_where_tickets_fall_to_nobody(alice, kim, ben, sam):
    category("Other").people.add(ben)
    category("Email Support").people.add(sam)
    make_ticket(alice, assignee=kim, category=category("Other"))
    Notification.objects.all().delete()
    hand_over(kim)
    assert [(row.person, row.reason) for row in Notification.objects.all()] == [(ben, "category")]


def test_handover_heeds_the_daily_mail_and_the_quiet_hours(alice, kim, ben, sam):
    category().people.add(ben, sam)
    make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    MailPreferences.objects.create(person=ben, new_tickets=Wish.DIGEST, digest_at=time(15))
    MailPreferences.objects.create(person=sam, quiet_from=time(11), quiet_until=time(14))
    hand_over(kim)
    leaves_at = dict(Notification.objects.values_list("person", "next_try_at"))
    assert leaves_at == {ben.pk: NOON + timedelta(hours=3), sam.pk: NOON + timedelta(hours=2)}


def test_who_asked_for_the_handover_gets_no_row(alice, kim, ben, sam):
    category().people.add(ben, sam)
    make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    hand_over(kim, by=sam)
    assert [row.person for row in Notification.objects.all()] == [ben]


# Mails that are about no ticket
def test_mail_about_the_account_goes_where_it_is_asked_to(alice):
    with acting_as(alice) as act:
        outbox.enqueue_account_mail(alice, "address_changed", address="before@example.com")
    row = Notification.objects.get()
    assert (row.kind, row.person, row.address) == ("address_changed", alice, "before@example.com")
    assert (row.ticket, row.activity, row.batch) == (None, None, act.batch)
    assert (row.created_at, row.next_try_at) == (NOON, NOON)


@pytest.fixture
def email() -> InboundEmail:
    return InboundEmail.objects.create(identity="<1@example.com>", raw=b"x", size=1, route="command")


def test_sender_learns_once_a_day_that_mail_waits_for_review(alice, bob, email, clock):
    outbox.enqueue_held(alice, email)
    row = Notification.objects.get()
    assert (row.kind, row.person, row.address) == (HELD, alice, alice.email)
    assert row.inbound_email == email
    assert (row.created_at, row.next_try_at) == (NOON, NOON)
    clock.shift(timedelta(hours=23, minutes=59))
    outbox.enqueue_held(alice, email)
    assert Notification.objects.count() == 1
    outbox.enqueue_held(bob, email)
    assert Notification.objects.filter(person=bob).count() == 1
    clock.shift(timedelta(minutes=1))
    outbox.enqueue_held(alice, email)
    assert Notification.objects.filter(person=alice).count() == 2


def test_sender_who_has_a_new_address_learns_it_there(alice, email):
    outbox.enqueue_held(alice, email)
    alice.email = "new@example.com"
    outbox.enqueue_held(alice, email)
    held = Notification.objects.filter(kind=HELD).order_by("pk")
    assert [row.address for row in held] == ["alice@example.com", "new@example.com"]
