"""On the agents' page, details that are changed and a reply that is typed survive the sending of each other."""

import uuid

import pytest

from accounts.actor import acting_as
from tickets.models import Draft, SavedReply
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


def address(ticket) -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def keep(client, ticket, key=None, **fields) -> int:
    data = {"kind": "details", "key": str(key or uuid.uuid4()), "restored": ""}
    data |= {f"field-{name}": value for name, value in fields.items()}
    return client.post(f"/tickets/{ticket.pk}/draft/", data).status_code


def form_of(client, ticket):
    return client.get(address(ticket)).context["adminform"].form


def filled(form) -> dict:
    return {name: form[name].value() or "" for name in form.fields}


def test_changed_details_come_back_after_a_reply_and_are_named(client_of, ann, ticket):
    client = client_of(ann)
    assert keep(client, ticket, priority="high", subject="Another") == 204
    client.post(f"/admin/tickets/ticket/{ticket.pk}/reply/", {"body": "Hello", "status": status("active").pk})
    response = client.get(address(ticket))
    form = response.context["adminform"].form
    assert (form["priority"].value(), form["subject"].value()) == ("high", "Another")
    assert str(form["status"].value()) == str(status("active").pk)  # what is stored since the reply
    assert [label.lower() for label in form.unsaved] == ["priority", "subject"]
    assert "Not saved yet: " in response.content.decode()
    ticket.refresh_from_db()
    assert ticket.priority == "normal"


def test_saving_the_details_leaves_the_reply_and_ends_their_own_draft(client_of, ann, ticket):
    client, other = client_of(ann), uuid.uuid4()
    Draft.objects.keep(person=ann, ticket=ticket, kind="reply", body="Half", fields={"status": "1"})
    keep(client, ticket, priority="high")
    form = form_of(client, ticket)
    keep(client, ticket, other, priority="low")  # in another tab
    data = filled(form) | {"key": str(form.draft_key), "restored": str(form.draft.mark)}
    client.post(address(ticket), data)
    ticket.refresh_from_db()
    assert ticket.priority == "high"
    assert Draft.objects.get(kind="details").key == other
    assert Draft.objects.get(kind="reply").body == "Half"


def test_draft_that_says_what_is_stored_is_not_shown(client_of, ann, sam, ticket):
    client = client_of(ann)
    keep(client, ticket, priority="high")
    with acting_as(sam):
        ticket.set_priority("high")
    response = client.get(address(ticket))
    assert response.context["adminform"].form.unsaved == []
    assert "Not saved yet" not in response.content.decode()


@pytest.mark.parametrize("fields", [{"status": "x"}, {"wakes_on": "x"}, {"assignee": "9" * 40}, {"odd": "x"}])
def test_odd_values_break_no_page(client_of, ann, ticket, fields):
    client = client_of(ann)
    assert keep(client, ticket, **fields) == 204
    assert client.get(address(ticket)).status_code == 200


def test_only_staff_keep_details(client_of, alice, bob, ann, ticket):
    assert keep(client_of(alice), ticket, priority="high") == 404
    keep(client_of(ann), ticket, priority="high")
    assert form_of(client_of(ann), ticket).unsaved


def test_details_of_somebody_else_are_not_shown(client_of, ann, sam, ticket):
    keep(client_of(ann), ticket, priority="high")
    assert form_of(client_of(sam), ticket).unsaved == []


def test_head_of_a_page_with_a_refused_form_says_what_is_stored(client_of, ann, ticket):
    """The kind: validation writes what was typed into the row that the page shows."""
    client = client_of(ann)
    data = filled(form_of(client, ticket)) | {"subject": "Typed", "priority": "urgent", "description": ""}
    response = client.post(address(ticket), data)
    assert response.status_code == 200
    shown = response.context["ticket"]
    assert (shown.subject, shown.priority) == (ticket.subject, "normal")
    assert f"#{ticket.pk} {ticket.subject} · " in response.content.decode()
    assert response.context["adminform"].form["subject"].value() == "Typed"


def test_head_of_another_page_too(client_of, ann):
    own = SavedReply.objects.create(owner=ann, title="Stored", body="Hello")
    url = f"/admin/tickets/savedreply/{own.pk}/change/"
    response = client_of(ann).post(url, {"title": "Typed", "body": ""})
    assert response.status_code == 200
    assert response.context["original"].title == "Stored"
