"""quickstart and seed_demo: what a newcomer meets first."""

import io
import socket

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from accounts.models import User
from tickets.management.demo.people import PASSWORD, PEOPLE
from tickets.models import ActivityLog, Attachment, Comment, Notification, Ticket

pytestmark = pytest.mark.django_db


def run(*arguments) -> str:
    said = io.StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def test_quickstart_makes_people_of_each_role_and_tickets_in_all_phases():
    said = run("quickstart", "--no-serve")
    assert PASSWORD in said
    assert all(demo.email in said for demo in PEOPLE.values())
    assert {person.role for person in User.objects.all()} == {"requester", "agent", "supervisor"}
    assert Ticket.objects.count() >= 40
    assert set(Ticket.objects.values_list("status__phase", flat=True)) == {"new", "active", "waiting", "done"}
    assert Attachment.objects.exists()
    assert User.objects.get(email="maria@example.com").check_password(PASSWORD)


def test_demo_histories_are_complete_and_mail_nobody():
    run("quickstart", "--no-serve")
    assert not Notification.objects.exists()
    assert "explains everything" in run("verify_activity_log")
    times = list(
        ActivityLog.objects.filter(ticket=Ticket.objects.first()).order_by("pk").values_list("recorded_at")
    )
    assert times == sorted(times)


def test_demo_tickets_keep_the_rules_of_the_forms():
    run("quickstart", "--no-serve")
    for ticket in Ticket.objects.all():
        ticket.full_clean()
        assert (ticket.done_at is not None) == ticket.is_done


def test_second_run_keeps_what_is_there():
    run("quickstart", "--no-serve")
    Ticket.objects.first().delete()
    before = Ticket.objects.count()
    said = run("quickstart", "--no-serve")
    assert "They were kept." in said
    assert Ticket.objects.count() == before


def test_demo_people_are_never_made_where_others_can_reach_them(settings):
    settings.IS_LOCAL = False
    with pytest.raises(CommandError, match="--no-demo"):
        run("quickstart", "--no-serve")
    assert not User.objects.exists()


def test_no_demo_asks_for_an_administrator_or_says_how_to_make_one():
    with pytest.raises(CommandError, match="createsuperuser"):
        run("quickstart", "--no-serve", "--no-demo")
    User.objects.create_superuser("boss@example.com", "x", full_name="Boss")
    assert "administrator already" in run("quickstart", "--no-serve", "--no-demo")
    assert not Ticket.objects.exists()


def test_taken_port_is_reported_plainly():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(CommandError, match="Try another one with --port"):
            run("quickstart", "--port", str(other.getsockname()[1]))


def test_seed_demo_adds_tickets_with_histories(ann):
    said = run("seed_demo", "--tickets", "250", "--users", "5")
    assert said.strip() == "Added 250 tickets and 5 people."
    assert Ticket.objects.count() == 250
    assert not Notification.objects.exists()
    replied = Ticket.objects.filter(first_replied_at__gt=F("created_at"))
    assert Comment.objects.filter(is_public=True).count() == replied.count() > 200
    assert Ticket.objects.done().filter(done_at__gte=F("first_replied_at")).exists()
    assert "explains everything" in run("verify_activity_log")


def test_seed_demo_needs_somebody_who_works_on_tickets():
    with pytest.raises(CommandError, match="No one works on tickets"):
        run("seed_demo", "--tickets", "1")
