"""What comes of each mail of the corpus (tickets/tests/mail/mails/), as it would come from a mail server."""

import pytest

from tickets.actions import conversation
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler
from tickets.models import Comment, InboundEmail, Notification, Ticket
from tickets.models.notification import HELD
from tickets.tests.factories import make_ticket
from tickets.tests.mail.mails import EXPECTED, raw

pytestmark = pytest.mark.django_db
State = InboundEmail.State


@pytest.fixture
def ticket(alice, bob, charlie, ann, settings):
    """Alice's, which bob watches."""
    settings.INBOUND_DOMAIN = "in.example.com"
    settings.INBOUND_AUTHSERV_ID = "mx.example.net"
    settings.MESSAGE_ID_DOMAIN = "mg.example.com"
    settings.DEFAULT_FROM_EMAIL = "Helpdesk <help@mg.example.com>"
    ticket = make_ticket(alice)
    conversation.watch(ticket, bob)
    return ticket


def outcome(email: InboundEmail, ticket: Ticket) -> str:
    """As the table has it: what became of the mail, in the rows that it made."""
    if email.state != State.FILED:
        assert not Comment.objects.exists()
        assert Ticket.objects.count() == 1
        return f"{email.state}:{email.reason}"
    if email.comment:
        assert (email.comment.ticket, email.comment.is_public) == (ticket, True)
        return "reply"
    assert email.ticket != ticket
    return "ticket"


@pytest.mark.parametrize("name", EXPECTED)
def test_outcome(name, ticket, alice):
    content = raw(name, reply_address(ticket.pk, alice.pk))
    before = Notification.objects.count()
    email = handler.receive(content, route=InboundEmail.Route.COMMAND)
    expected = EXPECTED[name]
    assert outcome(email, ticket) == expected.outcome
    assert bytes(email.raw) == content
    if email.state != State.FILED:
        assert Notification.objects.exclude(kind=HELD).count() == before
    elif email.comment:
        assert expected.reply in email.comment.body
        assert not [words for words in expected.folded if words in email.comment.body]
