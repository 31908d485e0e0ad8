"""The staff's workplace: list, page and actions on many tickets."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.models import ActivityLog, Attachment, Notification, Ticket
from tickets.tests.factories import category, make_ticket, status, upload

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


def body(response) -> str:
    return response.content.decode()


def shown(client, query: str = "") -> list[str]:
    return [ticket.subject for ticket in client.get(LIST + query).context["cl"].result_list]


def change(ticket: Ticket, **fields) -> dict:
    data = {
        "subject": ticket.subject,
        "description": ticket.description,
        "category": ticket.category_id,
        "priority": ticket.priority,
        "status": ticket.status_id,
        "assignee": ticket.assignee_id or "",
        "version": ticket.version,
    }
    return {**data, **fields}


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No sound")


# The list
@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("", ["b waiting", "a new"]),
        ("?phase=all", ["c done", "b waiting", "a new"]),
        ("?phase=done", ["c done"]),
        ("?who=mine", ["b waiting"]),
        ("?who=unassigned", ["a new"]),
        ("?priority=urgent", ["b waiting"]),
        ("?q=ALICE@example.com", ["c done", "b waiting", "a new"]),
        ("?q=waiting", ["b waiting"]),
        ("?phase=nonsense", ["b waiting", "a new"]),
        ("?period=today&phase=new", ["a new"]),
    ],
)
def test_list_is_filtered_and_searched(client_of, alice, ann, query, subjects):
    make_ticket(alice, subject="a new")
    make_ticket(alice, subject="b waiting", phase="waiting", assignee=ann, priority="urgent")
    make_ticket(alice, subject="c done", phase="done", assignee=ann)
    assert shown(client_of(ann), query) == subjects


@pytest.mark.parametrize("table", ["notification", "activitylog"])
def test_queries_do_not_grow_with_log_and_outbox(client_of, alice, ann, table):
    def count() -> int:
        client = client_of(ann)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/admin/tickets/{table}/")
        return len(queries)

    make_ticket(alice)
    make_ticket(alice)
    few = count()
    for _number in range(20):
        make_ticket(alice)
    assert count() == few


# The page
def test_page_shows_requester_files_and_history(client_of, ann, alice, ticket):
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    make_ticket(alice, subject="Another one")
    content = body(client_of(ann).get(f"{LIST}{ticket.pk}/change/"))
    for words in (
        "alice@example.com",
        "Room 204",
        "Another one",
        "screenshot.png",
        '<h2 dir="auto">Alice Moreau</h2>',
    ):
        assert words in content


def test_one_save_is_one_act_and_one_mail(client_of, ann, alice, ticket):
    data = change(ticket, status=status("active").pk, assignee=ann.pk, priority="high")
    response = client_of(ann).post(f"{LIST}{ticket.pk}/change/", data)
    assert response.status_code == 302
    rows = ActivityLog.objects.exclude(verb="created")
    assert {row.verb for row in rows} == {"status_changed", "assigned", "edited"}
    assert rows.values("batch").distinct().count() == 1
    assert {(row.actor, row.source) for row in rows} == {(ann, "admin")}
    mails = Notification.objects.filter(person=alice).exclude(kind="created")
    assert mails.values("batch").distinct().count() == 1


def test_line_ends_of_the_browser_are_no_edit(client_of, ann, alice):
    ticket = make_ticket(alice, description="one\n\ntwo")
    data = change(ticket, description="one\r\n\r\ntwo", assignee=ann.pk)
    client_of(ann).post(f"{LIST}{ticket.pk}/change/", data)
    assert [row.verb for row in ActivityLog.objects.order_by("pk")] == ["created", "assigned"]


def test_only_staff_can_be_assigned_and_phases_follow(client_of, ann, alice, ticket):
    client = client_of(ann)
    assert "Select a valid choice" in body(
        client.post(f"{LIST}{ticket.pk}/change/", change(ticket, assignee=alice.pk))
    )
    ticket.set_status(status("active"))
    response = client.post(f"{LIST}{ticket.pk}/change/", change(ticket, status=status("new").pk))
    assert "Select a valid choice" in body(response)
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.phase) == (None, "active")


def test_second_editor_gets_both_versions(client_of, ann, sam, ticket):
    """THREATS 115."""
    client, data = client_of(ann), change(ticket, subject="Ann's subject", priority="high")
    with acting_as(sam):
        ticket.subject = "Sam's subject"
        ticket.save()
    response = client.post(f"{LIST}{ticket.pk}/change/", data)
    content = body(response).replace("&#x27;", "'")
    assert response.status_code == 409
    for words in ("Sam Lindqvist changed ticket", "Sam's subject", "Ann's subject", "Normal", "High"):
        assert words in content
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.priority) == ("Sam's subject", "normal")
    typed = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', body(response)))
    again = {name: value.replace("&#x27;", "'") for name, value in typed.items()}
    assert client.post(f"{LIST}{ticket.pk}/change/", again).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.priority) == ("Ann's subject", "high")


def test_staff_file_a_ticket_for_somebody(client_of, ann, alice):
    data = {
        "requester": alice.pk,
        "subject": "By phone",
        "description": "No sound",
        "category": category().pk,
        "status": status("new").pk,
        "priority": "normal",
        "assignee": "",
    }
    response = client_of(ann).post(f"{LIST}add/", data)
    assert response.status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.source) == (alice, "admin")
    assert Notification.objects.filter(person=alice, kind="created").exists()


def test_supervisor_deletes_and_the_log_ends_with_it(client_of, sam, alice, ticket):
    number = ticket.pk
    client_of(sam).post(f"{LIST}{number}/delete/", {"post": "yes"})
    last = ActivityLog.objects.filter(ticket_id=number).first()
    assert (last.verb, last.actor) == ("deleted", sam)
