"""A person files at most 20 tickets an hour; nothing that was typed is lost."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import acting_as
from tickets.models import Comment, Draft, InboundEmail, Ticket
from tickets.tests.factories import category, make_ticket, status
from tickets.tests.mail.test_inbound import came_in, raw
from tickets.tests.views.test_ticket_new import URL, form

pytestmark = pytest.mark.django_db


def file_many(person, count: int = 20) -> None:
    for number in range(count):
        make_ticket(person, subject=f"Number {number}")


def body(response) -> str:
    return response.content.decode()


def test_twenty_first_ticket_of_an_hour_waits_with_what_was_typed(client_of, alice, unchanged):
    client = client_of(alice)
    for _number in range(20):
        assert client.post(URL, form()).status_code == 302
    with unchanged():
        response = client.post(URL, form(subject="My subject", description="My story", priority="high"))
    assert response.status_code == 429
    assert 3500 < int(response["Retry-After"]) <= 3600
    content = body(response)
    assert "You have submitted many tickets within an hour. Try again in 60 minutes." in content
    assert 'value="My subject"' in content
    assert "My story</textarea>" in content
    assert response.context["form"]["priority"].value() == "high"


def test_hour_slides(client_of, alice):
    client, start = client_of(alice), timezone.now()
    with time_machine.travel(start, tick=False) as traveller:
        for minute in range(20):
            traveller.move_to(start + timedelta(minutes=2 * minute))
            assert client.post(URL, form()).status_code == 302
        traveller.move_to(start + timedelta(minutes=59))
        assert client.post(URL, form())["Retry-After"] == "60"
        traveller.move_to(start + timedelta(minutes=60))
        assert client.post(URL, form()).status_code == 302
        response = client.post(URL, form())
        assert response["Retry-After"] == "120"
        assert "Try again in 2 minutes." in body(response)


def test_withdrawn_tickets_count(client_of, alice):
    """Else anybody files and withdraws without end, and each time the staff are mailed."""
    client = client_of(alice)
    file_many(alice)
    for ticket in Ticket.objects.all():
        assert client.post(f"/tickets/{ticket.pk}/delete/").status_code == 302
    assert not Ticket.objects.exists()
    assert client.post(URL, form()).status_code == 429


def test_form_sent_twice_leads_to_its_ticket_past_the_limit(client_of, alice):
    client = client_of(alice)
    file_many(alice, 19)
    data = form()
    first, second = client.post(URL, data), client.post(URL, data)
    assert first.status_code == second.status_code == 302
    assert first.url == second.url


def test_others_and_staff_file_on(client_of, alice, bob, ann):
    file_many(alice)
    assert client_of(bob).post(URL, form()).status_code == 302
    client = client_of(ann)
    for _number in range(25):
        assert client.post(URL, form()).status_code == 302


def test_what_staff_file_for_somebody_is_not_counted(client_of, alice, ann):
    client = client_of(ann)
    data = {"subject": "No sound", "description": "Silence", "category": category().pk, "priority": "normal"}
    data |= {"status": status("new").pk, "assignee": "", "requester": alice.pk}
    for _number in range(21):
        assert client.post("/admin/tickets/ticket/add/", data).status_code == 302
    assert client_of(alice).post(URL, form()).status_code == 302


def test_import_is_not_counted(client_of, alice):
    tickets = [
        Ticket(
            subject="Old",
            description="Old",
            category=category(),
            status=status("new"),
            requester=alice,
            source=Ticket.Source.IMPORT,
        )
        for _number in range(30)
    ]
    with acting_as(alice, source=Ticket.Source.IMPORT):
        for ticket in tickets:
            ticket.save()
    assert client_of(alice).post(URL, form()).status_code == 302


# A reply to what was done long ago is a new ticket
@pytest.fixture
def old_ticket(alice):
    ticket = make_ticket(alice)
    with time_machine.travel(timezone.now() - timedelta(days=30), tick=False):
        ticket.set_status(status("done"))
    return ticket


def test_reply_that_would_be_one_too_many_is_kept(client_of, alice, old_ticket, unchanged):
    file_many(alice)
    client, url = client_of(alice), f"/tickets/{old_ticket.pk}/reply/"
    Draft.objects.keep(person=alice, ticket=old_ticket, kind="reply", body="It is back")
    with unchanged():
        response = client.post(url, {"body": "It is back again"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 3500
    assert "You have submitted many tickets within an hour." in body(response)
    assert "It is back again</textarea>" in body(response)


def test_reply_sent_twice_leads_to_its_ticket_past_the_limit(client_of, alice, old_ticket):
    file_many(alice, 18)
    data = {"body": "It is back", "key": str(uuid.uuid4())}
    client, url = client_of(alice), f"/tickets/{old_ticket.pk}/reply/"
    first, second = client.post(url, data), client.post(url, data)
    assert first.status_code == second.status_code == 302
    assert first.url == second.url == f"/tickets/{Ticket.objects.latest('pk').pk}/"


def test_replies_that_are_no_tickets_go_on(client_of, alice, ann):
    file_many(alice)
    ticket = Ticket.objects.first()
    for _number in range(3):
        response = client_of(alice).post(f"/tickets/{ticket.pk}/reply/", {"body": "More"})
        assert response.status_code == 302
    assert Comment.objects.count() == 3


# By mail
def test_mail_of_who_filed_too_many_waits_for_staff(alice, settings):
    """Nothing is lost: it stands in quarantine."""
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"
    file_many(alice)
    mail = came_in(raw(subject="No sound"))
    assert (mail.state, mail.reason) == (InboundEmail.State.QUARANTINED, InboundEmail.Reason.TOO_MANY)
    assert Ticket.objects.count() == 20


def test_limit_costs_filing_one_question_on_postgresql_only(client_of, alice):
    """The first count comes along with the status, and so does the lock."""
    client = client_of(alice)
    client.post(URL, form())
    with CaptureQueriesContext(connection) as asked:
        assert client.post(URL, form()).status_code == 302
    texts = [query["sql"] for query in asked.captured_queries]
    locks = [text for text in texts if "pg_advisory_xact_lock" in text or "FOR NO KEY UPDATE" in text]
    counts = [text for text in texts if text.startswith('SELECT "tickets_activitylog"."recorded_at"')]
    assert len(locks) == len(counts) == connection.features.has_select_for_update
    (asked_of_status,) = [text for text in texts if 'FROM "tickets_status"' in text]
    assert locks == [asked_of_status] * connection.features.has_select_for_update
