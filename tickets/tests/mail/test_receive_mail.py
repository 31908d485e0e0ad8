"""receive_mail: any mail server can pipe a message into it, and is told what to do when it fails."""

import io
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from tickets.mail.addresses import reply_address
from tickets.mail.receiving import filing, handler
from tickets.mail.receiving.limits import MAX_BYTES
from tickets.models import Comment, InboundEmail
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def receive(settings, monkeypatch, capsys):
    """receive(raw, ...): what the command prints."""
    settings.INBOUND_DOMAIN = "in.example.com"

    def run(raw: bytes, *options: str) -> str:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
        out = io.StringIO()
        call_command("receive_mail", *options, stdout=out)
        return out.getvalue().strip()

    return run


def message(to: str = "undisclosed-recipients:;") -> bytes:
    return f"From: alice@example.com\nTo: {to}\nMessage-ID: <1@example.com>\n\nIt still jams.".encode()


def test_mail_is_filed_by_the_recipient_that_the_server_names(receive, alice):
    ticket = make_ticket(alice)
    address = reply_address(ticket.pk, alice.pk)
    words = receive(message(), "--recipient", address, "--sender", "alice@example.com")
    assert words == f"Email added to ticket #{ticket.pk}."
    assert Comment.objects.get().body == "It still jams."
    assert InboundEmail.objects.get().recipient == address


def test_mail_that_is_held_says_why(receive):
    assert receive(message()) == "Email quarantined. No one here has the sender's address."


@pytest.mark.parametrize(("raw", "words"), [(b"", "no email"), (b"x" * (MAX_BYTES + 1), "larger than 26 MB")])
def test_no_mail_and_too_large_a_one_need_not_be_tried_again(receive, raw, words):
    with pytest.raises(CommandError, match=words) as caught:
        receive(raw)
    assert caught.value.returncode == 65
    assert not InboundEmail.objects.exists()


def test_database_that_does_not_answer_asks_to_try_later(receive, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(handler, "store", fail)
    with pytest.raises(CommandError) as caught:
        receive(message())
    assert caught.value.returncode == 75


def test_failing_code_asks_to_try_later_and_keeps_the_mail(receive, monkeypatch, alice, caplog):
    ticket = make_ticket(alice)
    monkeypatch.setattr(filing, "_body", lambda *args: 1 / 0)
    options = ("--recipient", reply_address(ticket.pk, alice.pk))
    for _attempt in range(2):
        with pytest.raises(CommandError) as caught:
            receive(message(), *options)
        assert caught.value.returncode == 75
    assert receive(message(), *options) == "Email failed. The helpdesk could not read it."
    assert InboundEmail.objects.get().attempts == 3
