import pytest
from django.core.management import call_command

from tickets.models import Notification, Ticket
from tickets.tests.factories import make_ticket


@pytest.mark.django_db(transaction=True)
def test_mail_both_ways_is_undone_with_a_mail_that_was_reported_as_spam():
    mail = Notification.objects.create(
        kind="invited", address="alice@example.com", state=Notification.State.COMPLAINED
    )
    try:
        call_command("migrate", "tickets", "0007", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    mail.refresh_from_db()
    assert mail.state == Notification.State.BOUNCED


@pytest.mark.django_db(transaction=True)
def test_public_change_of_before_is_the_last_change_and_the_way_back_is_open(alice):
    ticket = make_ticket(alice)
    Ticket.objects.update(updated_at=ticket.created_at)
    try:
        call_command("migrate", "tickets", "0113", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    ticket.refresh_from_db()
    assert ticket.public_at == ticket.updated_at == ticket.created_at
