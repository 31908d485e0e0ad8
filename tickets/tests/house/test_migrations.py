import pytest
from django.core.management import call_command
from django.db import connection

from tickets.models import Notification, OutboxPause, Ticket
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


@pytest.mark.django_db(transaction=True)
def test_pause_of_the_provider_keeps_its_time_both_ways():
    OutboxPause.objects.create(number=0, reason="refused", unanswered=2)
    OutboxPause.objects.create(number=70_000, reason="breaker")
    try:
        call_command("migrate", "tickets", "0146", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT number, reason, unanswered FROM tickets_outboxpause")
            assert cursor.fetchall() == [(1, "refused", 2)]
    finally:
        call_command("migrate", verbosity=0)
    assert list(OutboxPause.objects.values_list("number", "unanswered")) == [(0, 2)]
