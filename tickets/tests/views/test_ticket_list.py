"""The list of tickets: own ones, all for staff; tabs, filters, search, pages (THREATS 7, 25 to 30)."""

import time

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tickets.models import Attachment, Ticket
from tickets.search.finding import search
from tickets.tests.factories import category, make_ticket, upload

pytestmark = pytest.mark.django_db


def shown(client, query: str = "") -> list[str]:
    response = client.get(f"/tickets/{query}")
    assert response.status_code == 200
    return [ticket.subject for ticket in response.context["rows"]]


@pytest.fixture
def tickets(alice, bob, ann):
    moment = timezone.now().replace(hour=0, minute=0)  # today, whenever the test runs
    with time_machine.travel(moment, tick=False) as clock:
        for subject, requester, phase, fields in (
            ("printer jam", alice, "new", {"priority": "urgent"}),
            ("mail is slow", alice, "waiting", {"category": category("Email Support"), "assignee": ann}),
            ("old laptop", alice, "done", {}),
            ("bob's mouse", bob, "active", {"assignee": ann}),
        ):
            make_ticket(requester, subject=subject, phase=phase, **fields)
            clock.shift(60)


def test_requester_sees_the_own_tickets_newest_change_first(client_of, alice, tickets):
    assert shown(client_of(alice)) == ["mail is slow", "printer jam"]


def test_staff_see_all(client_of, ann, tickets):
    assert shown(client_of(ann)) == ["bob's mouse", "mail is slow", "printer jam"]


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("?phase=new", ["printer jam"]),
        ("?phase=waiting", ["mail is slow"]),
        ("?phase=done", ["old laptop"]),
        ("?phase=all", ["old laptop", "mail is slow", "printer jam"]),
        ("?phase=nonsense", ["mail is slow", "printer jam"]),
        ("?q=PRINTER", ["printer jam"]),
        ("?q=mail+slow", ["mail is slow"]),
        ("?q=mail+printer", []),
        ("?q=mouse", []),
        ("?category=x", ["mail is slow", "printer jam"]),
        ("?category=%00", ["mail is slow", "printer jam"]),
        ("?q=%00", []),
        ("?who=mine", ["mail is slow", "printer jam"]),
        ("?sort=requester__password&order=x", ["mail is slow", "printer jam"]),
        ("?requester__password__startswith=bcrypt", ["mail is slow", "printer jam"]),
        ("?page=0", ["mail is slow", "printer jam"]),
        ("?page=-1", ["mail is slow", "printer jam"]),
        ("?page=abc", ["mail is slow", "printer jam"]),
        ("?page=" + "9" * 30, ["mail is slow", "printer jam"]),
        ("?page=2", ["mail is slow", "printer jam"]),
        ("?after=1", ["mail is slow", "printer jam"]),
        ("?after=x&after=1", ["mail is slow", "printer jam"]),
        ("?after=%00&after=%00", ["mail is slow", "printer jam"]),
        ("?after=1&after=1&after=1", ["mail is slow", "printer jam"]),
        ("?after=" + "9" * 18 + "&after=1", ["mail is slow", "printer jam"]),
        ("?after=-1&after=1", ["mail is slow", "printer jam"]),
        ("?after=1&after=²", ["mail is slow", "printer jam"]),
        ("?before=x", ["mail is slow", "printer jam"]),
        ("?before=1&before=1", ["mail is slow", "printer jam"]),
    ],
)
def test_filters_of_a_requester(client_of, alice, tickets, query, subjects):
    """THREATS 7, 25, 27, 28."""
    assert shown(client_of(alice), query) == subjects


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("?who=mine", ["bob's mouse", "mail is slow"]),
        ("?who=unassigned", ["printer jam"]),
        ("?priority=urgent", ["printer jam"]),
        ("?period=today&phase=all&q=bob", ["bob's mouse"]),
        ("?q=bob@example.com", ["bob's mouse"]),
        ("?q=Sales", ["bob's mouse", "old laptop", "mail is slow", "printer jam"]),
    ],
)
def test_filters_of_staff(client_of, ann, tickets, query, subjects):
    assert shown(client_of(ann), query) == subjects


@pytest.mark.parametrize(
    ("who", "query", "subjects"),
    [
        ("alice", "priority=urgent", ["printer jam"]),
        ("alice", "unassigned=unassigned", ["printer jam"]),
        ("alice", "has_file=file&phase=all", ["old laptop"]),
        ("alice", "status={done}", ["old laptop"]),
        ("alice", "status={done}&phase=open", []),
        ("alice", "status=x", ["mail is slow", "printer jam"]),
        ("alice", "filed_from={today}", ["mail is slow", "printer jam"]),
        ("alice", "filed_before={today}", []),
        ("alice", "filed_before=nonsense", []),
        ("alice", "filed_from=%00", ["mail is slow", "printer jam"]),
        ("alice", "requester=bob", ["mail is slow", "printer jam"]),
        ("alice", "assignee=ann", ["mail is slow", "printer jam"]),
        ("ann", "requester=bob", ["bob's mouse"]),
        ("ann", "requester=alice&q=printer", ["printer jam"]),
        ("ann", "requester=nobody+at+all", []),
        ("ann", "requester=%00", ["bob's mouse", "mail is slow", "printer jam"]),
        ("ann", "assignee=Ann&requester=alice", ["mail is slow"]),
        ("ann", "has_file=file&phase=all", ["old laptop"]),
    ],
)
def test_more_filters(request, client_of, alice, tickets, who, query, subjects):
    old = Ticket.objects.get(subject="old laptop")
    Attachment.attach([upload()], ticket=old, uploader=alice)
    query = query.format(done=old.status_id, today=timezone.localdate())
    assert shown(client_of(request.getfixturevalue(who)), f"?{query}") == subjects


def test_a_wrong_filter_says_so_and_stays(client_of, ann, tickets):
    page = client_of(ann).get("/tickets/", {"filed_from": "soon", "requester": "nobody"}).content.decode()
    assert "is not a date like" in page
    assert "is not a valid value for “requester:”" in page
    assert 'name="requester" value="nobody"' in page
    assert '<details class="more-filters" open>' in page


@pytest.mark.parametrize(
    ("who", "query", "counts"),
    [
        ("alice", "", "2 1 0 1 1 3"),
        ("alice", "?q=laptop", "0 0 0 0 1 1"),
        ("ann", "", "3 1 1 1 1 4"),
        ("ann", "?phase=done&period=today", "3 1 1 1 1 4"),
        ("ann", "?who=unassigned", "1 1 0 0 1 2"),
        ("ann", "?q=mail", "1 0 0 1 0 1"),
        ("ann", "?q=%00", "0 0 0 0 0 0"),
    ],
)
def test_tabs_count_what_they_show(request, client_of, tickets, who, query, counts):
    tabs = client_of(request.getfixturevalue(who)).get(f"/tickets/{query}").context["tabs"]
    assert [tab["label"] for tab in tabs] == ["Open", "New", "Active", "Waiting", "Done", "All"]
    assert " ".join(tab["count"] for tab in tabs) == counts


@pytest.mark.parametrize("words", ["%", "_", "\\", "%%%", "x" * 10_000, "'; DROP TABLE", "ä" * 300])
def test_odd_words_find_nothing_and_take_no_time(client_of, alice, tickets, words):
    """THREATS 30."""
    started = time.monotonic()
    response = client_of(alice).get("/tickets/", {"q": words})
    assert response.status_code == 200
    assert response.context["rows"] == []
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("words", "who", "found"),
    [
        ("printer", "alice", True),
        ("#{number}", "alice", True),
        ("{number}", "alice", True),
        ("#{number}", "bob", False),
        ("alice@example.com", "alice", False),
        ("alice@example.com", "ann", True),
        ("#99999999999999999999", "ann", False),
    ],
)
def test_search_finds_words_and_numbers(alice, bob, ann, words, who, found):
    ticket = make_ticket(alice)
    user = {"alice": alice, "bob": bob, "ann": ann}[who]
    result = search(Ticket.objects.visible_to(user), words.format(number=ticket.pk), user=user)
    assert result.exists() == found


def test_queries_do_not_grow_with_the_list(client_of, alice, ann):
    def count(client):
        with CaptureQueriesContext(connection) as queries:
            client.get("/tickets/?phase=all")
        return len(queries)

    clients = client_of(alice), client_of(ann)
    for _number in range(2):
        make_ticket(alice, assignee=ann)
    few = [count(client) for client in clients]
    for _number in range(18):
        make_ticket(alice, assignee=ann)
    assert [count(client) for client in clients] == few
    assert max(few) <= 7
