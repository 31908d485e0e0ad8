"""A mail that comes in with files while the attachment store fails waits, and is filed later (THREATS 142)."""

import errno
import io
from datetime import timedelta
from email.message import EmailMessage

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tickets import jobs
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler
from tickets.models import Attachment, Comment, InboundEmail, Ticket
from tickets.storage.access import StoreUnavailable
from tickets.tests.factories import PNG, make_ticket
from tickets.tests.files.test_attachment_store import FailingStorage
from tickets.tests.mailgun import signature

pytestmark = pytest.mark.django_db
State = InboundEmail.State
URL = "/anymail/mailgun/inbound_mime/"


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = "in.example.com"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def store(use_store, attachments_dir):
    return use_store(FailingStorage(attachments_dir, OSError(errno.EROFS, "Read-only file system")))


def mail_of(person, ticket, *, has_file: bool = True) -> EmailMessage:
    message = EmailMessage()
    message["From"] = person.email
    message["To"] = reply_address(ticket.pk, person.pk)
    message["Subject"] = "Re: The printer"
    message["Message-ID"] = f"<{'file' if has_file else 'text'}@example.com>"
    message.set_content("Here is a picture of it.")
    if has_file:
        message.add_attachment(PNG, maintype="image", subtype="png", filename="printer.png")
    return message


def receive(message: EmailMessage) -> InboundEmail:
    return handler.receive(message.as_bytes(), route=InboundEmail.Route.COMMAND, recipient=message["To"])


def run_job(clock, later: timedelta) -> None:
    clock.shift(later)
    next(job for job in jobs.JOBS if job.name == "handle_left_over_mail").run()


@pytest.mark.parametrize("outage", [timedelta(minutes=10), timedelta(days=1), timedelta(days=9)])
def test_mail_waits_for_the_store_however_long(clock, store, alice, attachments_dir, outage):
    """It is no fault of the mail, so no attempt counts."""
    message = mail_of(alice, make_ticket(alice))
    with pytest.raises(StoreUnavailable):
        receive(message)
    for _ in range(20):
        run_job(clock, outage / 20)
        email = InboundEmail.objects.get()
        assert (email.state, email.attempts) == (State.RECEIVED, 0)
    assert not Comment.objects.exists()
    assert not [path for path in attachments_dir.rglob("*") if path.is_file()]
    store.is_broken = False
    run_job(clock, timedelta(hours=6))
    email.refresh_from_db()
    assert email.state == State.FILED
    assert Comment.objects.get().attachments.get().content() == PNG


def test_mail_without_files_needs_no_store(store, alice):
    assert receive(mail_of(alice, make_ticket(alice), has_file=False)).state == State.FILED


def test_mailgun_is_asked_to_try_again(client, settings, store, alice):
    """As for other mail that waits; what it posts again is stored once and filed then."""
    settings.MAILGUN_WEBHOOK_SECRET = "the key that signs webhooks"
    message, client = mail_of(alice, make_ticket(alice)), Client(raise_request_exception=False)

    def post(**fields) -> int:
        data = {"recipient": message["To"], "sender": alice.email, "body-mime": message.as_string(), **fields}
        return client.post(URL, data).status_code

    fields = signature()
    assert post(**fields) == 503
    assert InboundEmail.objects.get().state == State.RECEIVED
    store.is_broken = False
    assert [post(**fields), post(**fields), post(**signature())] == [200, 200, 200]
    assert InboundEmail.objects.get().state == State.FILED
    assert Attachment.objects.count() == 1


def test_mail_server_is_asked_to_try_again(monkeypatch, store, alice):
    message = mail_of(alice, make_ticket(alice))

    def run() -> None:
        stdin = io.TextIOWrapper(io.BytesIO(message.as_bytes()))
        monkeypatch.setattr("sys.stdin", stdin)
        call_command("receive_mail", recipient=message["To"], sender=alice.email, stdout=io.StringIO())

    with pytest.raises(CommandError, match="its files can't be stored right now") as caught:
        run()
    assert caught.value.returncode == 75
    store.is_broken = False
    run()
    assert InboundEmail.objects.get().state == State.FILED


@pytest.mark.parametrize("act", ["release", "ticket", "attach", "replay"])
def test_decision_of_staff_says_why_nothing_came_of_it(client_of, ann, alice, store, clock, act):
    ticket = make_ticket(alice)
    message = mail_of(alice, ticket)
    with pytest.raises(StoreUnavailable):
        receive(message)
    InboundEmail.objects.update(state=State.QUARANTINED, reason="unproven")
    email, client = InboundEmail.objects.get(), client_of(ann)
    url = f"/admin/tickets/inboundemail/{email.pk}/decide/"
    data = {"act": act, "number": ticket.pk}
    page = client.post(url, data, follow=True)
    assert page.status_code == 200
    assert "The email is kept. Try again later." in page.content.decode()
    email.refresh_from_db()
    assert email.state == (State.RECEIVED if act == "replay" else State.QUARANTINED)
    assert (Ticket.objects.count(), Comment.objects.count(), Attachment.objects.count()) == (1, 0, 0)
    store.is_broken = False
    if act == "replay":
        run_job(clock, timedelta(hours=1))
    else:
        client.post(url, data)
    email.refresh_from_db()
    assert email.state == State.FILED
    assert Attachment.objects.count() == 1
