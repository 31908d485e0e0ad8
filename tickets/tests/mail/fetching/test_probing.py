"""A mailbox is tested hop by hop, with a real IMAP server and one that takes emails by SMTP (cases 98 to 101)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tickets.admin.mail import hops
from tickets.mail import probing
from tickets.models import Arrival, InboundEmail, Mailbox, MailboxState, MailProbe, Ticket
from tickets.tests.smtp_server import SmtpServer

pytestmark = pytest.mark.django_db
RESULTS = b"Authentication-Results: mx.example.com; dmarc=pass header.from=example.com\r\n"
ALL = [
    "worker", "settings", "name", "certificate", "login", "accepted",
    "back", "plus", "message_id", "auto_submitted", "proof", "moved",
]  # fmt: skip


@pytest.fixture
def smtp():
    with SmtpServer() as server:
        yield server


@pytest.fixture
def mailbox(dovecot, smtp, make_mailbox):
    fields = {"sends_by": "smtp", "smtp_host": "127.0.0.1", "smtp_port": smtp.port, "smtp_security": "none"}
    return make_mailbox(dovecot, **fields)


@pytest.fixture
def tested(mailbox, root, smtp, dovecot):
    """tested(change=...): a test whose email came back as `change` leaves it. Returns it with its hops."""

    def test(change=lambda mail, to: mail, *, to_header: bool = True) -> tuple[MailProbe, dict[str, str]]:
        MailboxState.objects.filter(mailbox=mailbox).delete()
        probing.rounds.fetch(mailbox)  # what is there already is left alone
        probe = probing.start(mailbox, by=root)
        probing.run_waiting()
        for _sender, recipient, raw in smtp.mails:
            head = RESULTS + f"Delivered-To: {recipient}\r\n".encode()
            dovecot.append(mailbox.user, change(head + raw, recipient))
        probing.run_waiting()
        probe.refresh_from_db()
        return probe, {hop["name"]: hop["state"] for hop in probe.hops}

    return test


def test_98_all_is_well(tested, mailbox):
    probe, states = tested()
    assert list(states) == ALL
    assert states == dict.fromkeys(ALL, "ok")
    assert probe.ended_at
    state = MailboxState.objects.get(mailbox=mailbox)
    assert [state.keeps_plus, state.keeps_message_id, state.keeps_auto_submitted, state.proves_itself] == [
        True
    ] * 4
    assert InboundEmail.objects.get().reason == "canary"
    assert Arrival.objects.get().moved_at
    assert not Ticket.objects.exists()


def test_99_without_a_worker_the_page_says_so(mailbox, root, client_of):
    browser = client_of(root)
    address = f"/admin/tickets/mailbox/{mailbox.pk}/test/"
    assert browser.post(address).status_code == 302
    assert "data-hx-get" in browser.get(address).content.decode()
    with time_machine.travel(timezone.now() + timedelta(seconds=30), tick=False):
        assert "No worker has begun the test." in client_of(root).get(address).content.decode()
    with time_machine.travel(timezone.now() + timedelta(minutes=7), tick=False):
        assert "data-hx-get" not in client_of(root).get(address).content.decode()


def test_100_email_that_never_comes_back(mailbox, root):
    probe = probing.start(mailbox, by=root)
    probing.run_waiting()
    probing.run_waiting()
    probe.refresh_from_db()
    assert probe.ended_at is None
    with time_machine.travel(timezone.now() + timedelta(minutes=4), tick=False):
        probing.run_waiting()
    probe.refresh_from_db()
    assert (probe.hops[-1]["name"], probe.hops[-1]["state"]) == ("back", "failed")
    assert "Junk" in probe.hops[-1]["words"]
    assert probe.ended_at


def test_101_tag_that_is_removed_switches_plus_addresses_off(tested, mailbox):
    def strip(mail: bytes, recipient: str) -> bytes:
        return mail.replace(recipient.encode(), mailbox.address.encode())

    _probe, states = tested(strip)
    assert (states["back"], states["plus"], states["message_id"]) == ("ok", "warning", "ok")
    mailbox.refresh_from_db()
    assert not mailbox.plus
    assert not Ticket.objects.exists()


def test_what_a_server_does_to_our_headers_is_measured(tested, mailbox):
    def change(mail: bytes, recipient: str) -> bytes:
        lines = [
            line
            for line in mail.split(b"\r\n")
            if not line.startswith((b"Auto-Submitted", b"Authentication"))
        ]
        return b"\r\n".join(
            b"Message-ID: <new@mx.example.com>" if line.startswith(b"Message-ID") else line for line in lines
        )

    _probe, states = tested(change)
    assert [states[name] for name in ("back", "plus", "message_id", "auto_submitted", "proof")] == [
        "ok", "ok", "warning", "warning", "warning",
    ]  # fmt: skip
    state = MailboxState.objects.get(mailbox=mailbox)
    assert [state.keeps_plus, state.keeps_message_id, state.keeps_auto_submitted, state.proves_itself] == [
        True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "hop", "words"),
    [
        ({"AUTH": "535 5.7.8 wrong"}, "login", "535"),
        ({"GREETING": "421 closed"}, "login", "421"),
        ({"MAIL": "550 5.7.60 may not send"}, "accepted", "support@example.com"),
        ({"RCPT": "550 5.1.1 unknown"}, "accepted", "5.1.1"),
    ],
)
def test_hop_that_fails_ends_the_test_and_says_why(mailbox, root, smtp, answers, hop, words):
    smtp.answers |= answers
    probe = probing.start(mailbox, by=root)
    probing.run_waiting()
    probe.refresh_from_db()
    assert (probe.hops[-1]["name"], probe.hops[-1]["state"]) == (hop, "failed")
    assert words in probe.hops[-1]["words"]
    assert probe.ended_at
    assert "correct-horse" not in str(probe.hops)


@pytest.mark.parametrize(
    ("fields", "hop"),
    [
        ({"imap_host": ""}, "settings"),
        ({"smtp_host": "no-such-host.invalid"}, "name"),
        ({"imap_port": 9}, "certificate"),
        ({"imap_host": "127.0.0.1"}, "certificate"),
    ],
)
def test_wrong_settings_are_found_at_their_hop(mailbox, root, fields, hop):
    Mailbox.objects.filter(pk=mailbox.pk).update(**fields)
    probe = probing.start(mailbox, by=root)
    probing.run_waiting()
    probe.refresh_from_db()
    assert (probe.hops[-1]["name"], probe.hops[-1]["state"]) == (hop, "failed")
    assert probe.hops[-1]["words"]


def test_wrong_password_of_imap_is_said(mailbox, root, dovecot):
    mailbox.secrets = {"password": "wrong"}
    mailbox.save()
    probe = probing.start(mailbox, by=root)
    probing.run_waiting()
    probing.run_waiting()
    probe.refresh_from_db()
    assert (probe.hops[-1]["name"], probe.hops[-1]["state"]) == ("back", "failed")


def test_mailbox_that_only_sends_is_tested_up_to_there(mailbox, root):
    Mailbox.objects.filter(pk=mailbox.pk).update(fetches_by="no")
    probe = probing.start(mailbox, by=root)
    probing.run_waiting()
    probe.refresh_from_db()
    assert probe.ended_at
    assert [line.label for line in hops.lines(probe)] == ["done"] * 6


def test_second_click_starts_no_second_test(mailbox, root):
    assert probing.start(mailbox, by=root) == probing.start(mailbox, by=root)
