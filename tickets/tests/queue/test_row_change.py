"""Assignee, status and priority change in the row: the same pipe as the page, and nobody overwrites unseen."""

from unittest.mock import ANY

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.models import ActivityLog, Notification, Ticket
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No sound")


def url(ticket, change: str, *, filters: str = "") -> str:
    return f"{LIST}{ticket.pk}/set/{change}/{filters}"


def text(response) -> str:
    return response.content.decode().replace("&#x27;", "'")


def test_row_links_to_what_can_be_changed_with_what_it_shows(client_of, ann, sam, alice):
    ticket = make_ticket(alice, assignee=sam, priority="high")
    page = text(client_of(ann).get(f"{LIST}?who=all"))
    way_back = "_changelist_filters=who%3Dall"
    for change, seen in (
        ("assign_to", sam.pk), ("set_status", ticket.status_id), ("set_priority", "high"),
    ):  # fmt: skip
        assert f'href="{url(ticket, change)}?seen={seen}&amp;{way_back}"' in page


@pytest.mark.parametrize("change", ["assign_to", "set_status", "set_priority"])
def test_page_offers_the_values_and_changes_nothing(client_of, ann, ticket, change):
    page = text(client_of(ann).get(url(ticket, change)))
    offered = {"assign_to": "Assign to me", "set_status": "In Progress", "set_priority": "Urgent"}[change]
    assert offered in page
    assert ActivityLog.objects.count() == 1


def test_menu_of_assignees_says_how_many_open_tickets_each_has(
    client_of, ann, sam, alice, ticket, django_assert_num_queries
):
    client = client_of(ann)
    client.get(url(ticket, "assign_to"))
    with CaptureQueriesContext(connection) as few:
        client.get(url(ticket, "assign_to"))
    for number in range(5):
        make_ticket(alice, assignee=sam, phase="done" if number == 4 else "new")
        make_person(f"Kim{number} Young", role=Role.AGENT)
    with django_assert_num_queries(len(few)):
        response = client.get(url(ticket, "assign_to"))
    loads = {choice.label: choice.load for choice in response.context["choices"]}
    assert loads["Sam Lindqvist"] == "4 open tickets"
    assert loads["Ann Weber"] == "0 open tickets"
    assert loads["Unassigned"] == ""


def test_change_is_logged_and_mailed_as_on_the_page(client_of, ann, sam, alice, ticket):
    client = client_of(ann)
    back = f"?_changelist_filters={'priority%3Dhigh'}"
    response = client.post(url(ticket, "assign_to", filters=back), {"value": sam.pk, "seen": ""})
    assert response.url == f"{LIST}?priority=high"
    client.post(url(ticket, "set_priority"), {"value": "urgent", "seen": "normal"})
    client.post(url(ticket, "set_status"), {"value": status("active").pk, "seen": ticket.status_id})
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.priority, ticket.phase) == (sam, "urgent", "active")
    rows = ActivityLog.objects.exclude(verb="created").order_by("pk")
    assert [(row.verb, row.actor, row.source) for row in rows] == [
        ("assigned", ann, "admin"), ("edited", ann, "admin"), ("status_changed", ann, "admin"),
    ]  # fmt: skip
    assert Notification.objects.filter(person=sam, kind="assigned").exists()
    assert Notification.objects.filter(person=alice, kind="status_changed").exists()


def test_script_gets_words_and_no_redirect(client_of, ann, ticket):
    data = {"value": "high", "seen": "normal"}
    response = client_of(ann).post(url(ticket, "set_priority"), data, headers={"X-Row-Change": "yes"})
    assert response.json() == {"said": f"#{ticket.pk}, Priority: High", "undo": ANY}


def test_nobody_can_be_the_assignee(client_of, ann, sam, alice):
    ticket = make_ticket(alice, assignee=sam)
    client_of(ann).post(url(ticket, "assign_to"), {"value": "", "seen": sam.pk})
    assert Ticket.objects.get().assignee is None


# A stale row
def test_stale_row_says_who_took_the_ticket_and_takes_it_from_nobody(client_of, ann, sam, ticket):
    with acting_as(sam):
        ticket.assign(sam, because="took")
    client = client_of(ann)
    for response in (
        client.get(url(ticket, "assign_to", filters="?seen=")),
        client.post(url(ticket, "assign_to"), {"value": ann.pk, "seen": ""}),
    ):
        assert "Sam Lindqvist self-assigned this" in text(response)
        assert f'name="seen" value="{sam.pk}"' in text(response)
    assert response.status_code == 409
    assert Ticket.objects.get().assignee == sam
    client.post(url(ticket, "assign_to"), {"value": ann.pk, "seen": sam.pk})  # now it was seen
    assert Ticket.objects.get().assignee == ann


def test_stale_status_and_priority_say_what_they_are_now(client_of, ann, sam, ticket):
    seen = ticket.status_id
    with acting_as(sam):
        ticket.set_status(status("done"))
        ticket.set_priority("urgent")
    client = client_of(ann)
    response = client.post(url(ticket, "set_status"), {"value": status("active").pk, "seen": seen})
    assert (response.status_code, "Sam Lindqvist changed the status to Done" in text(response)) == (409, True)
    response = client.post(url(ticket, "set_priority"), {"value": "low", "seen": "normal"})
    assert (response.status_code, "Sam Lindqvist changed the priority to Urgent" in text(response)) == (
        409,
        True,
    )
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.priority) == ("done", "urgent")


def test_what_is_so_already_is_no_conflict_and_no_event(client_of, ann, ticket):
    ticket.set_priority("high")
    before = ActivityLog.objects.count()
    response = client_of(ann).post(url(ticket, "set_priority"), {"value": "high", "seen": "normal"})
    assert response.status_code == 302
    assert ActivityLog.objects.count() == before


# Refusals
def test_status_that_may_not_follow_is_neither_offered_nor_taken(client_of, ann, ticket):
    ticket.set_status(status("active"))
    client, new = client_of(ann), status("new")
    assert f'value="{new.pk}"' not in text(client.get(url(ticket, "set_status")))
    data = {"value": new.pk, "seen": ticket.status_id}
    response = client.post(url(ticket, "set_status"), data)
    assert response.status_code == 422
    assert "can't be new again" in text(response)
    assert Ticket.objects.get().phase == "active"


def test_waiting_needs_a_reason(client_of, ann, ticket):
    client, data = client_of(ann), {"value": status("waiting").pk, "seen": ticket.status_id}
    response = client.post(url(ticket, "set_status"), data)
    assert response.status_code == 422
    assert "Choose what the ticket is waiting for." in text(response)
    client.post(url(ticket, "set_status"), {**data, "waiting_for": "requester"})
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.waiting_for) == ("waiting", "requester")


@pytest.mark.parametrize(
    ("change", "value"),
    [("assign_to", "99999999999999999999"), ("assign_to", "x"), ("set_status", ""), ("set_priority", "now")],
)
def test_value_that_is_not_offered_is_refused(client_of, ann, ticket, change, value):
    seen = {"assign_to": "", "set_status": ticket.status_id, "set_priority": "normal"}[change]
    response = client_of(ann).post(url(ticket, change), {"value": value, "seen": seen})
    assert response.status_code == 422
    assert ActivityLog.objects.count() == 1


def test_requester_is_no_assignee_and_nothing_else_can_be_set(client_of, ann, alice, ticket):
    response = client_of(ann).post(url(ticket, "assign_to"), {"value": alice.pk, "seen": ""})
    assert response.status_code == 422
    for change in ("delete_selected", "assign_to_me", "subject"):
        assert client_of(ann).post(url(ticket, change), {"value": "x"}).status_code == 404
    assert client_of(ann).get(f"{LIST}99999999999999999999/set/assign_to/").status_code == 404


def test_requester_gets_nowhere(client_of, alice, ticket):
    response = client_of(alice).post(url(ticket, "set_priority"), {"value": "urgent", "seen": "normal"})
    assert response.status_code == 302
    assert response.url.startswith("/admin/login/")
    assert Ticket.objects.get().priority == "normal"
