"""Editing a ticket's words: what is refused, what counts as a change (THREATS 2.2)."""

import pytest

from tickets.models import ActivityLog, Category, Notification
from tickets.tests.factories import category, make_ticket
from tickets.tests.views.test_ticket_new import BAD

pytestmark = pytest.mark.django_db
# A key belongs to the form for a new ticket, a priority to the staff's.
OF_REQUESTER = {
    name: case for name, case in BAD.items() if not {"submission_key", "priority"} & case[0].keys()
}


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No sound", description="Silence")


def form(ticket, **fields) -> dict:
    data = {"subject": ticket.subject, "description": ticket.description, "category": ticket.category_id}
    return {**data, "version": ticket.version, **fields}


def url(ticket) -> str:
    return f"/tickets/{ticket.pk}/edit/"


@pytest.mark.parametrize(("fields", "message"), OF_REQUESTER.values(), ids=OF_REQUESTER)
def test_bad_input_is_refused_at_its_field_and_typed_text_stays(
    client_of, alice, ticket, unchanged, fields, message
):
    """THREATS 1 to 6, 14, 21."""
    client = client_of(alice)
    with unchanged():
        response = client.post(
            url(ticket), form(ticket, **{"subject": "typed subject", "description": "typed text", **fields})
        )
    content = response.content.decode()
    assert response.status_code == 200
    assert message in content
    assert "subject" in fields or "typed subject" in content
    assert "description" in fields or "typed text" in content


def test_title_of_a_refused_page_is_the_stored_one(client_of, alice, ticket):
    """What was refused is in its field and nowhere else on the page."""
    page = client_of(alice).post(url(ticket), form(ticket, subject="x" * 151)).content.decode()
    assert page.count("x" * 151) == 1


def test_saving_without_a_change_is_no_act(client_of, alice, ticket, unchanged):
    client = client_of(alice)
    with unchanged():
        assert client.post(url(ticket), form(ticket)).status_code == 302


@pytest.mark.parametrize("stored", ["one\r\ntwo", "one\ntwo\n\n", "  one\n two", "one\rtwo"])
def test_line_ends_of_an_imported_text_are_no_change(client_of, alice, unchanged, stored):
    """A browser sends back other line ends than it got, and we cut space at both ends."""
    ticket, client = make_ticket(alice, description=stored), client_of(alice)
    sent = stored.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    with unchanged():
        assert client.post(url(ticket), form(ticket, description=sent)).status_code == 302


def test_ticket_keeps_a_category_that_was_switched_off(client_of, alice, ticket):
    """THREATS 23: but no other ticket can take it."""
    off = Category.objects.create(name="Old", is_active=False)
    old = make_ticket(alice, category=off)
    client = client_of(alice)
    assert client.post(url(old), form(old, subject="New words")).status_code == 302
    old.refresh_from_db()
    assert (old.subject, old.category) == ("New words", off)
    response = client.post(url(ticket), form(ticket, category=off.pk))
    assert "Select a valid choice." in response.content.decode()


def test_one_act_of_staff_is_one_log_batch_and_tells_the_requester(client_of, ann, ticket):
    fields = {"subject": "No sound at all", "category": category("Email Support").pk, "priority": "high"}
    client_of(ann).post(url(ticket), form(ticket, **fields))
    rows = ActivityLog.objects.filter(ticket_id=ticket.pk).exclude(verb="created")
    assert len({row.batch for row in rows}) == 1
    assert {name for row in rows for name in row.changes} == {"subject", "category", "priority"}
    notified = Notification.objects.filter(activity__in=rows).values_list("address", flat=True).distinct()
    assert list(notified) == ["alice@example.com"]
