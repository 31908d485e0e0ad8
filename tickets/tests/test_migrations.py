import pytest
from django.core.management import call_command

from tickets.models import Notification


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
