"""The command palette: what it offers to whom, and that its actions are those of the page."""

import html
import re

import pytest

from accounts.actor import acting_as
from tickets.models import SavedView, Status, Ticket, Visit
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
PALETTE = "/admin/palette/"
OPTION = re.compile(r'<(?:a|button) role="option".*?class="palette-label"[^>]*>(.*?)</span>', re.DOTALL)
FORM = r'<form id="palette-{}" method="post" action="([^"]*)".*?name="seen" value="([^"]*)"'


@pytest.fixture
def asks(client, ann):
    client.force_login(ann)

    def ask(typed: str = "", **query) -> str:
        response = client.get(PALETTE, {"q": typed, **query})
        assert response.status_code == 200
        return html.unescape(response.content.decode())

    return ask


def options(content: str) -> list[str]:
    return [" ".join(label.split()) for label in OPTION.findall(content)]


def send(client, content: str, form: str, value: str = ""):
    """Presses the button of an action."""
    url, seen = re.search(FORM.format(form), content, re.DOTALL).groups()
    return client.post(url, {"seen": seen, "value": value})


def test_recent_tickets_come_first_latest_first(asks, alice, ann, sam):
    first, second, other = (make_ticket(alice, subject=subject) for subject in ("Alpha", "Beta", "Gamma"))
    for ticket in (first, second):
        Visit.objects.record(person=ann, ticket=ticket, number=0)
    Visit.objects.record(person=sam, ticket=other, number=0)
    assert options(asks())[:3] == ["Beta", "Alpha", "My queue"]
    assert options(asks(ticket=second.pk))[0] == "Alpha"


def test_ticket_is_found_by_number_and_by_the_begin_of_words(asks, alice):
    printer = make_ticket(alice, subject="Printer on fire")
    make_ticket(alice, subject="No sound")
    assert options(asks("print"))[0] == "Printer on fire"
    assert options(asks(f"{printer.pk}"))[0] == options(asks(f"#{printer.pk}"))[0] == "Printer on fire"
    assert options(asks("print")) == ["Printer on fire", "Search all tickets for “print”"]
    assert "No results" in asks("xyzzy")


def test_views_and_pages_are_found_by_the_begin_of_words(asks, ann, sam):
    SavedView.objects.create(name="Printers of hall B", query="q=printer", owner=ann)
    SavedView.objects.create(name="Printers of Sam", query="q=printer", owner=sam)
    assert "Printers of hall B" in options(asks())
    found = asks("hall pri")
    assert options(found)[0] == "Printers of hall B"
    assert re.search(r'href="/admin/tickets/ticket/\?[^"]*q=printer', found)
    assert options(asks("peo"))[0] == "People"
    assert "Printers of Sam" not in options(asks("printers"))


def test_pages_are_those_that_the_person_may_open(client, asks, sam):
    assert "Reports" not in options(asks())
    client.force_login(sam)
    assert "Reports" in options(asks())


def test_actions_are_those_of_the_open_ticket(client, asks, alice, ann):
    ticket = make_ticket(alice, subject="Alpha")
    assert "Assign to me" not in options(asks())
    content = asks(ticket=ticket.pk)
    assert options(content)[:3] == ["Assign to me", "Mark as solved", "Change assignee"]
    assert {"Copy link", "Print", "View as requester", "Set priority to High"} <= {*options(content)}
    assert send(client, content, "take").url == f"/admin/tickets/ticket/{ticket.pk}/change/"
    ticket.refresh_from_db()
    assert ticket.assignee == ann
    assert "Assign to me" not in options(asks(ticket=ticket.pk))


def test_status_and_priority_are_set_and_lead_back_to_the_ticket(client, asks, alice):
    ticket = make_ticket(alice)
    filters = "_changelist_filters=who%3Dall"
    content = asks("mark sol", ticket=ticket.pk, _changelist_filters="who=all")
    assert options(content)[0] == "Mark as solved"
    solved = Status.objects.default_for("done")
    page = f"/admin/tickets/ticket/{ticket.pk}/change/?{filters}"
    assert send(client, content, "set_priority", "high").url == page
    assert send(client, content, "set_status", str(solved.pk)).url == page
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.priority) == ("done", "high")


def test_stale_action_is_refused_as_in_the_queue(client, asks, alice, sam):
    ticket = make_ticket(alice)
    content = asks(ticket=ticket.pk)
    with acting_as(sam):
        ticket.set_priority("urgent")
    answer = send(client, content, "set_priority", "high")
    assert answer.status_code == 409
    assert f'href="/admin/tickets/ticket/{ticket.pk}/change/"' in answer.content.decode()
    assert Ticket.objects.get().priority == "urgent"


def test_status_that_needs_a_reason_opens_its_form(client, asks, alice):
    ticket = make_ticket(alice)
    content = asks("hold", ticket=ticket.pk)
    url = re.search(r'href="(/admin/tickets/ticket/\d+/set/set_status/[^"]*)"', content)[1]
    reason = {"value": Status.objects.default_for("waiting").pk, "waiting_for": "supplier"}
    seen = {"seen": ticket.status_id}
    assert client.get(url).status_code == 200
    assert client.post(url, reason | seen).url == f"/admin/tickets/ticket/{ticket.pk}/change/"
    assert Ticket.objects.get().phase == "waiting"


def test_merged_ticket_has_no_actions_that_change_it(asks, alice):
    target = make_ticket(alice)
    ticket = make_ticket(alice, phase="done", merged_into=target)
    assert options(asks(ticket=ticket.pk))[:3] == ["Copy link", "Print", "View as requester"]


@pytest.mark.parametrize("query", [{"ticket": "x"}, {"ticket": "9" * 30}, {"ticket": ""}, {"q": "\0"}])
def test_odd_requests_get_the_plain_list(asks, query):
    assert "Start page" in options(asks(typed=query.get("q", ""), ticket=query.get("ticket", "")))


def test_long_and_odd_words_find_nothing(asks):
    for typed in ("?!", "x" * 5000, "“”", "status:"):
        assert "Start page" not in options(asks(typed))


def test_palette_takes_no_post(client, ann):
    client.force_login(ann)
    assert client.post(PALETTE).status_code == 405


def test_number_of_queries_does_not_grow(client, ann, alice, django_assert_max_num_queries):
    client.force_login(ann)
    for number in range(12):
        ticket = make_ticket(alice, subject=f"Printer {number}")
        Visit.objects.record(person=ann, ticket=ticket, number=0)
    with django_assert_max_num_queries(6):
        client.get(PALETTE)
    with django_assert_max_num_queries(7):
        client.get(PALETTE, {"q": "printer"})
