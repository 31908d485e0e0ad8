"""What the provider tells later turns the outbox's rows, in whatever order it comes (THREATS 85, 90)."""

import itertools
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from accounts.actor import acting_as
from tickets.mail.sending import delivery
from tickets.mail.sending.delivery import deliver_due
from tickets.models import Notification, SuppressedAddress
from tickets.notifications import outbox
from tickets.tests.factories import make_ticket, status
from tickets.tests.mailgun import event

pytestmark = pytest.mark.django_db
State = Notification.State
GONE = {"severity": "permanent", "reason": "bounce", "delivery-status": {"message": "550 No such user here"}}


@pytest.fixture
def row(mailgun, alice):
    """The receipt of a ticket, sent."""
    make_ticket(alice)
    deliver_due()
    return Notification.objects.get()


def tell(row: Notification, kind: str, **data) -> None:
    """What Mailgun posts about the mail of `row`."""
    post = event(kind, row.message_id, **data)
    response = Client().post("/anymail/mailgun/tracking/", post, content_type="application/json")
    assert response.status_code == 200
    row.refresh_from_db()


def test_delivered_mail_is_delivered(row):
    tell(row, "delivered")
    assert row.state == State.DELIVERED
    assert abs(timezone.now() - row.delivered_at) < timedelta(minutes=1)


def test_all_rows_of_one_mail_are_updated(mailgun, alice, ann):
    ticket = make_ticket(alice)
    deliver_due()
    with acting_as(ann):
        ticket.assign(ann)
        ticket.set_status(status("active"))
    deliver_due()
    rows = Notification.objects.exclude(kind="created")
    assert rows.count() == 2
    tell(rows.first(), "delivered")
    assert set(rows.values_list("state", flat=True)) == {State.DELIVERED}
    assert Notification.objects.get(kind="created").state == State.SENT


@pytest.mark.parametrize(
    ("kind", "data", "state", "reason"),
    [
        ("failed", GONE, State.BOUNCED, "bounced"),
        ("complained", {}, State.COMPLAINED, "complained"),
    ],
)
def test_address_that_mail_does_not_reach_is_suppressed(row, kind, data, state, reason):
    """THREATS 90."""
    tell(row, kind, **data)
    assert row.state == state
    address = SuppressedAddress.objects.get()
    assert (address.address, address.reason, address.notification) == ("alice@example.com", reason, row)
    assert address.detail == row.last_error
    if data:
        assert row.last_error == "550 No such user here"


def test_refusal_of_the_provider_itself_is_a_failure_and_no_bounce(row):
    tell(row, "rejected", reject={"reason": "Sandbox"})
    assert (row.state, row.last_error) == (State.FAILED, "Sandbox")
    assert not SuppressedAddress.objects.exists()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("failed", {"severity": "temporary"}),
        ("accepted", {}),
        ("opened", {}),
        ("clicked", {"url": "https://example.com/"}),
        ("unsubscribed", {}),
        ("something new", {}),
    ],
)
def test_other_events_change_nothing(row, kind, data):
    before = Notification.objects.values().get()
    tell(row, kind, **data)
    assert Notification.objects.values().get() == before
    assert not SuppressedAddress.objects.exists()


EVENTS = (("delivered", {}), ("failed", GONE), ("complained", {}))


@pytest.mark.parametrize(
    "events",
    [order for length in (2, 3) for order in itertools.permutations(EVENTS, length)],
    ids=lambda order: "-".join(kind for kind, _data in order),
)
def test_order_of_events_does_not_matter(row, events):
    """Each twice. What is worse stands."""
    for kind, data in (*events, *events):
        tell(row, kind, **data)
    kinds = [kind for kind, _data in events]
    expected = State.COMPLAINED if "complained" in kinds else State.BOUNCED
    assert row.state == expected
    assert SuppressedAddress.objects.get().reason == expected


@pytest.mark.parametrize("kind", ["delivered", "failed"])
def test_event_before_our_own_sent_is_written_stands(mailgun, alice, monkeypatch, kind):
    """The worker holds the row, Mailgun is quicker than its own answer."""
    make_ticket(alice)
    row = Notification.objects.get()
    build = delivery.messages.build

    def build_and_tell(notifications):
        row.refresh_from_db()
        assert row.state == State.SENDING
        tell(row, kind, **(GONE if kind == "failed" else {}))
        return build(notifications)

    monkeypatch.setattr(delivery.messages, "build", build_and_tell)
    deliver_due()
    row.refresh_from_db()
    assert row.state == (State.DELIVERED if kind == "delivered" else State.BOUNCED)
    assert row.leased_until is None
    assert row.sent_at is not None


@pytest.mark.parametrize("behave", ["lie", "lose"])
def test_mail_that_arrived_although_the_answer_was_lost_is_not_repeated(mailgun, alice, behave):
    """THREATS 85."""
    make_ticket(alice)
    mailgun.behave = behave
    deliver_due()
    row = Notification.objects.get()
    assert row.state == State.WAITING
    tell(row, "delivered")
    assert (row.state, row.last_error) == (State.DELIVERED, "")
    mailgun.behave = 200
    with time_machine.travel(row.next_try_at + timedelta(seconds=1), tick=False):
        assert deliver_due() == 0
    assert len(mailgun.mails) == 1


def test_mail_that_arrived_at_the_last_try_has_not_failed(mailgun, row):
    Notification.objects.update(state=State.FAILED, last_error="500")
    tell(row, "delivered")
    assert row.state == State.DELIVERED


def test_mail_that_was_accepted_and_never_delivered_bounces(mailgun, row):
    """A provider that lies: 200, and a failure later."""
    assert (row.state, len(mailgun.mails)) == (State.SENT, 1)
    tell(row, "failed", severity="permanent", reason="generic")
    assert row.state == State.BOUNCED
    assert row.last_error


def test_mail_is_found_by_the_providers_own_id(row):
    post = event("delivered", row.provider_id)
    Client().post("/anymail/mailgun/tracking/", post, content_type="application/json")
    row.refresh_from_db()
    assert row.state == State.DELIVERED


@pytest.mark.parametrize("message_id", ["", "<unknown@example.com>", "a\0b", "\ud800", "é", "x" * 100_000])
def test_event_of_no_mail_of_ours_changes_nothing(row, message_id):
    """A row's number beside it does not help: only the Message-ID counts."""
    post = event("failed", message_id, **GONE, **{"user-variables": {"notification": row.pk}})
    response = Client().post("/anymail/mailgun/tracking/", post, content_type="application/json")
    assert response.status_code == 200
    row.refresh_from_db()
    assert row.state == State.SENT
    assert not SuppressedAddress.objects.exists()


@pytest.mark.parametrize("words", ["a\0b", "\ud800", "x" * 100_000, ["list"], None, 5])
def test_words_of_the_other_side_are_kept_as_far_as_they_can_be(row, words):
    tell(row, "failed", **{**GONE, "delivery-status": {"message": words, "description": words}})
    assert row.state == State.BOUNCED
    assert row.last_error
    assert len(row.last_error) <= 1000


def test_mail_server_says_more_than_the_provider(row):
    tell(
        row, "failed", **GONE | {"delivery-status": {"message": "550 Gone", "description": "Not delivering"}}
    )
    assert row.last_error == "550 Gone"


def test_event_happened_when_it_says(row):
    moment = timezone.now().replace(microsecond=0) - timedelta(hours=1)
    tell(row, "delivered", timestamp=moment.timestamp())
    assert row.delivered_at == moment


def test_event_of_the_future_happened_now(row):
    tell(row, "delivered", timestamp=timezone.now().timestamp() + 100_000)
    assert row.delivered_at <= timezone.now()


# Suppressed addresses
def test_address_that_complained_stays_so_when_another_mail_bounces(row, mailgun, alice):
    make_ticket(alice)
    deliver_due()
    tell(row, "complained")
    other = Notification.objects.latest("pk")
    tell(other, "failed", **GONE)
    assert other.state == State.BOUNCED
    address = SuppressedAddress.objects.get()
    assert (address.reason, address.notification) == ("complained", row)


@pytest.mark.parametrize("reason", ["bounced", "complained"])
def test_suppressed_address_gets_no_mail_and_the_row_says_why(mailgun, alice, bob, reason):
    SuppressedAddress.objects.create(address="Alice@example.com", reason=reason)
    make_ticket(alice)
    make_ticket(bob)
    assert deliver_due() == 1
    assert [mail["to"] for mail in mailgun.mails] == ["bob@example.com"]
    row = Notification.objects.get(person=alice)
    assert row.state == State.SUPPRESSED
    assert "alice@example.com" in row.last_error
    assert date_format(timezone.localtime(), "DATE_FORMAT") in row.last_error


def test_suppressed_address_gets_no_account_mail_either(mailgun, alice):
    SuppressedAddress.objects.create(address=alice.email, reason="bounced")
    outbox.enqueue_account_mail(alice, "password_reset", address=alice.email)
    outbox.enqueue_account_mail(alice, "address_changed", address="old@example.com")
    assert deliver_due() == 1
    assert [mail["to"] for mail in mailgun.mails] == ["old@example.com"]
