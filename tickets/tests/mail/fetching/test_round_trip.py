"""Out by SMTP, back by IMAP: a requester replies to our email, and the reply is on the ticket."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from tickets.mail.receiving.fetching import rounds
from tickets.mail.sending import delivery
from tickets.models import Comment, InboundEmail, Mailbox, MailboxState, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.smtp_server import SmtpServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def smtp():
    with SmtpServer() as server:
        yield server


@pytest.fixture
def mailbox(dovecot, make_mailbox, smtp, settings):
    settings.HAS_MAIL_PROVIDER = True
    fields = {"smtp_host": "127.0.0.1", "smtp_port": smtp.port, "smtp_security": "none"}
    mailbox = make_mailbox(dovecot, sends_by=Mailbox.Sending.SMTP, **fields)
    assert rounds.fetch(mailbox).problem == ""
    return mailbox


def delivered(mail: EmailMessage, *, to: str, sender: str) -> bytes:
    """What a mail server adds when it delivers."""
    results = f"mx.example.com; dmarc=pass header.from={sender.rpartition('@')[2]}"
    head = f"Delivered-To: {to}\r\nAuthentication-Results: {results}\r\n"
    return head.encode() + mail.as_bytes(policy=policy.SMTP)


def reply_to(sent: EmailMessage, *, sender: str, **headers) -> EmailMessage:
    reply = EmailMessage()
    values = {"From": sender, "To": sent["Reply-To"], "Subject": f"Re: {sent['Subject']}"}
    values |= {"Message-ID": "<answer-1@example.com>", "In-Reply-To": sent["Message-ID"]}
    for name, value in (values | headers).items():
        reply[name] = value
    reply.set_content("It is the one on the second floor.")
    return reply


def our_email(smtp: SmtpServer) -> EmailMessage:
    assert delivery.deliver_due() == 1
    (_sender, _recipient, raw) = smtp.mails[-1]
    return message_from_bytes(raw, policy=policy.default)


def test_reply_to_our_email_is_added_to_the_ticket(dovecot, mailbox, smtp, alice):
    ticket = make_ticket(alice)
    sent = our_email(smtp)
    assert mailbox.address in sent["From"]
    reply = reply_to(sent, sender=alice.email)
    dovecot.append(mailbox.user, delivered(reply, to=str(reply["To"]), sender=alice.email))
    assert rounds.fetch(mailbox).moved == 1
    comment = Comment.objects.get()
    assert (comment.ticket, comment.author) == (ticket, alice)
    assert comment.body == "It is the one on the second floor."


def test_reply_whose_plus_tag_was_lost_finds_the_ticket_by_its_references(dovecot, mailbox, smtp, alice):
    ticket = make_ticket(alice)
    reply = reply_to(our_email(smtp), sender=alice.email, To=mailbox.address)
    dovecot.append(mailbox.user, delivered(reply, to=mailbox.address, sender=alice.email))
    assert rounds.fetch(mailbox).moved == 1
    assert Comment.objects.get().ticket == ticket


def test_our_own_email_that_comes_back_is_ignored(dovecot, mailbox, smtp, alice):
    make_ticket(alice)
    sent = our_email(smtp)
    dovecot.append(mailbox.user, delivered(sent, to=mailbox.address, sender=mailbox.address))
    assert rounds.fetch(mailbox).moved == 1
    assert InboundEmail.objects.get().reason == InboundEmail.Reason.OWN_ADDRESS
    assert Ticket.objects.count() == 1
    assert MailboxState.objects.get().fetch_state == "ok"
