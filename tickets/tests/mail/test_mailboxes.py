"""Which mailbox an email belongs to."""

import pytest

from tickets.mail import mailboxes
from tickets.mail.receiving import handler
from tickets.models import Mailbox

pytestmark = pytest.mark.django_db
MAIL = b"From: alice@example.com\r\nTo: it@company.com\r\nSubject: No print\r\n\r\nIt jams.\r\n"


@pytest.fixture
def mailbox():
    return Mailbox.objects.create(name="IT", address="it@company.com", is_default=True)


@pytest.fixture
def second():
    return Mailbox.objects.create(name="HR", address="hr@company.com")


def test_email_and_its_ticket_know_the_mailbox_where_it_came_in(alice, ann, mailbox):
    email = handler.receive(MAIL, route="imap", provider_id="imap:1:1:1", mailbox=mailbox)
    assert email.mailbox == mailbox
    assert handler.make_ticket(email, by=ann).ticket.mailbox == mailbox


def test_email_of_the_provider_has_no_mailbox(alice, ann):
    email = handler.receive(MAIL, route="mailgun", provider_id="mailgun-1")
    assert email.mailbox is None
    assert handler.make_ticket(email, by=ann).ticket.mailbox is None


def test_addresses_of_inactive_mailboxes_are_ours_too(mailbox, second):
    Mailbox.objects.filter(pk=second.pk).update(is_active=False)
    assert mailboxes.addresses() == {"it@company.com", "hr@company.com"}
