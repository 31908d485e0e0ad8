"""The mailbox of the environment: a row that follows the settings, with secrets that stay outside."""

from datetime import timedelta

import pytest

from helpdesk import clock
from tickets.mail import alarms, pause
from tickets.mail.canary import is_canary, send_canary
from tickets.mail.environment import keep_mailbox
from tickets.mail.sending.delivery import deliver_due
from tickets.models import Mailbox, Notification, OutboxPause
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
DESCRIBED = {
    "name": "IT",
    "address": "it@example.com",
    "sender_name": "IT",
    "sends_by": "smtp",
    "fetches_by": "imap",
    "smtp_host": "mail.example.com",
    "imap_host": "mail.example.com",
    "user": "it",
    "secrets": {"password": "correct horse"},
}


def test_row_is_made_once_and_follows_the_settings(settings):
    settings.ENVIRONMENT_MAILBOX = DESCRIBED
    first = keep_mailbox()
    assert (first.address, first.smtp_host, first.is_default, first.source) == (
        "it@example.com", "mail.example.com", True, "environment",
    )  # fmt: skip
    settings.ENVIRONMENT_MAILBOX = {**DESCRIBED, "smtp_host": "other.example.com"}
    assert keep_mailbox().pk == first.pk
    assert Mailbox.objects.get().smtp_host == "other.example.com"


def test_secret_is_read_from_the_settings_and_never_stored(settings):
    settings.ENVIRONMENT_MAILBOX = DESCRIBED
    keep_mailbox()
    mailbox = Mailbox.objects.get()
    assert mailbox.secret == ""
    assert mailbox.secrets == {"password": "correct horse"}
    settings.ENVIRONMENT_MAILBOX = None
    assert mailbox.secrets == {}


def test_row_that_the_settings_no_longer_describe_is_switched_off(settings):
    settings.ENVIRONMENT_MAILBOX = DESCRIBED
    keep_mailbox()
    settings.ENVIRONMENT_MAILBOX = {**DESCRIBED, "address": "help@example.com"}
    keep_mailbox()
    assert [(row.address, row.is_active, row.is_default) for row in Mailbox.objects.order_by("pk")] == [
        ("it@example.com", False, False),
        ("help@example.com", True, True),
    ]
    settings.ENVIRONMENT_MAILBOX = None
    assert keep_mailbox() is None
    assert not Mailbox.objects.active().exists()


def test_default_of_the_admin_stays(settings):
    own = Mailbox.objects.create(name="HR", address="hr@example.com", is_default=True)
    settings.ENVIRONMENT_MAILBOX = DESCRIBED
    assert not keep_mailbox().is_default
    own.refresh_from_db()
    assert own.is_default


def test_mailgun_installation_gets_no_row(settings):
    settings.ENVIRONMENT_MAILBOX = None
    assert keep_mailbox() is None
    assert not Mailbox.objects.exists()


def test_without_a_mailbox_emails_wait_with_an_alarm_until_there_is_one(settings, alice, mailgun):
    settings.SENDS_WITHOUT_MAILBOX = False
    make_ticket(alice)
    assert deliver_due() == 0
    row = Notification.objects.get()
    assert (row.state, row.attempts) == ("waiting", 0)
    assert alarms.alarms() == ["There is no mailbox that sends emails. All emails wait. Add a mailbox."]
    Mailbox.objects.create(name="IT", address="it@example.com", sends_by="esp")
    assert deliver_due() == 1
    assert alarms.alarms() == []


def test_canary_goes_to_the_default_mailbox_if_it_receives(settings):
    settings.MAIL_CANARY, settings.INBOUND_DOMAIN = True, ""
    send_canary()
    assert not Notification.objects.exists()
    mailbox = Mailbox.objects.create(name="IT", address="it@example.com", sends_by="smtp", fetches_by="no")
    send_canary()
    assert not Notification.objects.exists()
    mailbox.fetches_by = "imap"
    mailbox.save()
    send_canary()
    address = Notification.objects.get().address
    assert address.startswith("it+canary.")
    assert is_canary(address)
    assert not is_canary(address.replace("it+", "hr+"))


def test_worker_that_starts_again_leaves_a_pause_alone(settings):
    settings.ENVIRONMENT_MAILBOX = DESCRIBED
    mailbox = keep_mailbox()
    pause.begin(timedelta(minutes=30), OutboxPause.Reason.REFUSED, seen=OutboxPause(number=mailbox.pk))
    keep_mailbox()
    assert pause.state(mailbox.pk).is_on(clock.now())
    settings.ENVIRONMENT_MAILBOX = {**DESCRIBED, "user": "other"}
    keep_mailbox()
    assert not pause.state(mailbox.pk).is_on(clock.now())


def test_mailbox_of_the_workspace_is_not_taken_over(settings, caplog):
    own = Mailbox(name="IT", address="it@example.com")
    own.secrets = {"password": "own"}
    own.save()
    settings.ENVIRONMENT_MAILBOX = DESCRIBED
    assert keep_mailbox() is None
    own.refresh_from_db()
    assert (own.source, own.secrets) == ("admin", {"password": "own"})
    assert "is set up in the agent workspace" in caplog.text
