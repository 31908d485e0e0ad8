"""The queue sorts by each column by name: along an index, or any list of few tickets."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from accounts.tests.cast import make_person
from helpdesk.lists import paging
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.admin.queue import changelist
from tickets.models import SavedView
from tickets.search import sorting
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"
MANY = 3


@pytest.fixture
def tickets(alice, bob, ann, sam):
    """Subject, requester and assignee differ in their orders."""
    return {
        "b": make_ticket(bob, subject="b", assignee=sam, priority="low"),
        "C": make_ticket(alice, subject="C"),
        "a": make_ticket(alice, subject="a", assignee=ann, phase="waiting"),
    }


@pytest.fixture
def few(monkeypatch):
    """A list of three tickets is a long one."""
    monkeypatch.setattr(paging, "MOST_COUNTED", MANY - 1)
    monkeypatch.setattr(sorting, "MOST", MANY - 1)
    monkeypatch.setattr(changelist, "MOST", MANY - 1)


def shown(client, query: str) -> list[str]:
    return [ticket.subject for ticket in client.get(LIST + query).context["cl"].result_list]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("subject", ["a", "b", "C"]),
        ("requester", ["C", "a", "b"]),  # equal ones by number
        ("assignee", ["a", "b", "C"]),  # unassigned last
        ("replied", ["C", "a", "b"]),
    ],
)
@pytest.mark.parametrize("phase", ["open", "all"])
def test_few_tickets_are_sorted_by_each_column_and_reversed(client_of, ann, tickets, order, expected, phase):
    conversation.reply(tickets["b"], Message(author=ann, body="Please restart it"))
    with acting_as(ann):
        conversation.note(tickets["C"], Message(author=ann, body="No reply"))
    client = client_of(ann)
    assert shown(client, f"?who=all&phase={phase}&sort={order}") == expected
    assert shown(client, f"?who=all&phase={phase}&sort=-{order}") == expected[::-1]


def test_person_without_a_name_stands_where_the_list_shows_the_address(client_of, ann, tickets):
    nameless = make_person("Zoe")
    get_user_model().objects.filter(pk=nameless.pk).update(full_name="", email="aaron@example.com")
    make_ticket(nameless, subject="d")
    assert shown(client_of(ann), "?who=all&sort=requester")[0] == "d"


@pytest.mark.parametrize("phase", ["done", "all"])
def test_few_done_tickets_are_sorted_by_status_and_priority_too(client_of, ann, alice, phase):
    for priority in ("low", "urgent"):
        make_ticket(alice, phase="done", priority=priority, subject=priority)
    client = client_of(ann)
    assert shown(client, f"?who=all&phase={phase}&sort=priority") == ["urgent", "low"]
    assert shown(client, f"?who=all&phase={phase}&sort=-priority") == ["low", "urgent"]
    assert "Least urgent first" in client.get(f"{LIST}?who=all&phase={phase}&sort=-priority").content.decode()


def header(client, query: str, name: str) -> str:
    page = client.get(LIST + query).content.decode()
    return re.search(rf"<th [^>]*>\s*<div class=\"text\">\s*(<\w+[^>]*>{name})", page)[1]


def test_header_sorts_and_says_the_order(client_of, ann, tickets):
    client = client_of(ann)
    page = client.get(f"{LIST}?who=all&sort=subject").content.decode()
    assert re.search(
        r'aria-sort="ascending">\s*<div class="text">\s*<a href="\?sort=-subject[^>]*>Subject', page
    )
    assert ">By subject</a>" in page
    assert header(client, "?who=all", "Requester").startswith('<a href="?sort=requester')


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", ["Subject", "Requester", "Assignee", "Last reply"])
def test_header_of_a_long_list_says_why_it_does_not_sort(client_of, ann, tickets, name):
    client = client_of(ann)
    assert header(client, "?who=all", name) == (
        f'<span title="Only lists of up to 2 tickets can be sorted by this column.">{name}'
    )
    assert header(client, "?who=all", "Priority").startswith("<a ")
    assert header(client, "?who=mine", name).startswith("<a ")


@pytest.mark.usefixtures("few")
def test_long_list_keeps_its_own_order(client_of, ann, tickets):
    client = client_of(ann)
    assert shown(client, "?who=all&sort=subject") == shown(client, "?who=all")
    page = client.get(f"{LIST}?who=all&sort=subject")
    assert page.context["cl"].order_in_words == "Most urgent first"
    assert shown(client, "?who=all&sort=subject&after=2&after=0&after=0") == shown(
        client, "?who=all&after=2&after=0&after=0"
    )


@pytest.mark.parametrize("order", ["subject", "-requester", "-age", "-priority"])
def test_next_ticket_is_the_next_row(client_of, ann, tickets, order):
    """The kind: whatever the list is sorted by, its tickets lead on in this order."""
    client = client_of(ann)
    query = f"who=all&sort={order}"
    rows = client.get(f"{LIST}?{query}").context["cl"].result_list
    for place, ticket in enumerate(rows):
        page = client.get(f"{LIST}{ticket.pk}/change/", {"_changelist_filters": query})
        beside = page.context["neighbours"]
        assert beside.previous == (rows[place - 1].pk if place else None)
        assert beside.next == (rows[place + 1].pk if place < MANY - 1 else None)
        assert beside.position == f"{place + 1} of {MANY}"


def test_view_keeps_the_order_and_pages_turn(client_of, ann, alice, tickets):
    client = client_of(ann)
    client.post(f"{LIST}save-view/", {"name": "By name", "query": "who=all&sort=-subject"})
    assert SavedView.objects.get().query == "who=all&sort=-subject"
    for number in range(60):
        make_ticket(alice, subject=f"n{number:02}")
    first = shown(client, "?who=all&sort=subject")
    second = shown(client, "?who=all&sort=subject&p=2")
    assert (first[0], first[-1], second[0], len(second)) == ("a", "n46", "n47", 13)
    assert "is not a valid value" not in client.get(f"{LIST}?who=all&sort=subject").content.decode()


def test_many_rows_take_as_many_queries(client_of, ann, alice, tickets):
    client = client_of(ann)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(client, "?who=all&sort=replied")
        return len(queries)

    before = asked()
    for _number in range(20):
        make_ticket(alice)
    assert asked() == before
