"""The canary: a mail of the helpdesk to itself that proves the whole circle."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tickets.mail import alarms
from tickets.mail.addresses import parse, reply_address
from tickets.mail.canary import canary_address, is_canary, send_canary
from tickets.mail.receiving.handler import receive
from tickets.mail.sending.delivery import deliver_due
from tickets.models import InboundEmail, Notification


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = "in.example.com"


def test_canary_is_known_by_its_address():
    address = canary_address(timezone.now())
    assert is_canary(address)
    assert is_canary(address.upper())
    assert parse(address) is None
    assert address != canary_address(timezone.now() + timedelta(seconds=1))


def test_canary_of_the_key_before_is_known(settings):
    address = canary_address(timezone.now())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key that is long enough for everybody"
    assert is_canary(address)


@pytest.mark.parametrize(
    "change",
    [
        lambda address: address.replace("@in.", "@out."),
        lambda address: address.replace("canary.", "canary.0"),
        lambda address: address.partition("@")[0],
        lambda address: "support+canary@in.example.com",
        lambda address: "support+canary.1.@in.example.com",
        lambda address: "support@in.example.com",
        lambda address: reply_address(1, 1),
        lambda address: "",
    ],
)
def test_nothing_else_is_a_canary(change):
    assert not is_canary(change(canary_address(timezone.now())))


@pytest.fixture
def canary(mailgun, settings):
    """A canary that has left."""
    settings.MAIL_CANARY = True
    send_canary()
    assert deliver_due() == 1
    return Notification.objects.get()


def come_back(canary: Notification, **fields) -> None:
    values = {"identity": canary.message_id, "recipient": canary.address, "raw": b"x", "size": 1, **fields}
    InboundEmail.objects.create(route="mailgun", state="ignored", reason="canary", **values)


def is_lost() -> bool:
    return any("test email" in alarm for alarm in alarms.alarms())


@pytest.mark.django_db
def test_canary_leaves_through_the_outbox_to_the_helpdesk_itself(mailgun, canary):
    mail = mailgun.mails[0]
    assert canary.state == "sent"
    assert is_canary(mail["to"])
    assert mail["h:Auto-Submitted"] == "auto-generated"
    assert mail["subject"] == "Test email of the helpdesk"
    assert "No action is needed." in mail["text"]


@pytest.mark.django_db
def test_no_canary_unless_it_is_asked_for(mailgun):
    send_canary()
    assert not Notification.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [29, 31, 600])
def test_canary_that_does_not_come_back_is_an_alarm(canary, minutes):
    with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
        assert is_lost() == (minutes > 30)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changed", [{}, {"identity": "<other@mailgun>"}, {"recipient": ""}], ids=["both", "address", "Message-ID"]
)
def test_canary_that_came_back_is_none(canary, changed):
    """A server on the way may change the Message-ID, and a pipe may not know the recipient."""
    come_back(canary, **changed)
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        assert not is_lost()


@pytest.mark.django_db
def test_canary_of_before_does_not_stand_for_the_last(canary, mailgun):
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False) as clock:
        send_canary()
        deliver_due()
        come_back(canary)
        clock.shift(timedelta(minutes=31))
        assert is_lost()
        come_back(Notification.objects.first())
        assert not is_lost()


@pytest.mark.django_db
def test_later_canary_that_came_back_ends_the_alarm(canary):
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        assert is_lost()
        send_canary()
        deliver_due()
        come_back(Notification.objects.first())
        assert not is_lost()


@pytest.mark.django_db
def test_canary_that_comes_in_closes_the_circle(canary, mailgun):
    mail = mailgun.mails[0]
    raw = f"From: {mail['from']}\r\nTo: {mail['to']}\r\nMessage-ID: {canary.message_id}\r\n\r\n{mail['text']}"
    email = receive(raw.encode(), route="mailgun", recipient=mail["to"])
    assert (email.state, email.reason) == ("ignored", "canary")
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        assert not is_lost()
