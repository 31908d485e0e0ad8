"""Which mailbox an email belongs to: where it came in, and from where the next one leaves."""

import pytest

from tickets.mail import mailboxes
from tickets.mail.receiving import handler
from tickets.models import Category, Mailbox, Notification
from tickets.tests.factories import make_ticket

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


def test_ticket_sends_by_its_own_mailbox_then_its_categorys_then_the_default(alice, mailbox, second):
    ticket = make_ticket(alice)
    assert mailboxes.of_ticket(ticket) == mailbox
    second.category = ticket.category
    second.save()
    assert mailboxes.of_ticket(ticket) == second
    ticket.mailbox = third = Mailbox.objects.create(name="Desk", address="desk@company.com")
    assert mailboxes.of_ticket(ticket) == third


def test_category_with_two_mailboxes_does_not_choose_one(alice, mailbox, second):
    ticket = make_ticket(alice)
    Mailbox.objects.create(name="Desk", address="desk@company.com", category=ticket.category)
    Mailbox.objects.filter(pk=second.pk).update(category=ticket.category)
    assert mailboxes.of_ticket(ticket) == mailbox


@pytest.mark.parametrize("change", [{"is_active": False}, {"sends_by": "no"}])
def test_mailbox_that_does_not_send_leaves_its_emails_to_the_default(alice, mailbox, second, change):
    ticket = make_ticket(alice)
    waiting = Notification(mailbox=second)
    ticket.mailbox = second
    assert (mailboxes.of_ticket(ticket), mailboxes.that_sends(waiting)) == (second, second)
    Mailbox.objects.filter(pk=second.pk).update(**change)
    assert (mailboxes.of_ticket(ticket), mailboxes.that_sends(waiting)) == (mailbox, mailbox)


def test_without_a_mailbox_the_provider_sends(alice):
    assert not Category.objects.filter(mailboxes__isnull=False).exists()
    assert mailboxes.of_ticket(make_ticket(alice)) is None
    assert mailboxes.that_sends(Notification()) is None
