"""Who left is still found as the assignee of tickets: in the search box, in filters and saved views, marked."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.models import SavedView, Ticket
from tickets.search.finding import Search
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"
VIEWS = "/admin/tickets/savedview/"


def leave(person, how: str) -> None:
    """Around save(), so that the tickets stay: as in the minute before they are handed over."""
    if how == "deactivated":
        User.objects.filter(pk=person.pk).update(is_active=False)
    else:
        person.groups.clear()


@pytest.fixture(params=["deactivated", "not staff"])
def eve(request, roles, alice):
    """Somebody who had an open ticket and one that is done, and left."""
    eve = make_person("Eve Novák", role=Role.AGENT)
    make_ticket(alice, subject="Open", assignee=eve)
    make_ticket(alice, subject="Done", assignee=eve, phase="done")
    leave(eve, request.param)
    eve = User.objects.get(pk=eve.pk)
    eve.mark = request.param
    return eve


def found(typed: str, user) -> set[str]:
    asked = Search(typed, user=user)
    assert asked.problems == []
    return set(asked.filter(Ticket.objects.all()).values_list("subject", flat=True))


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("typed", "subjects"),
    [
        ("assignee:novak", {"Open", "Done"}),
        ("assignee:eve@example.com", {"Open", "Done"}),
        ("assignee:eve is:done", {"Done"}),
        ("-assignee:eve", {"Ann's", "Nobody's"}),
        ("assignee:ann", {"Ann's"}),
        ("assignee:me", {"Ann's"}),
        ("assignee:none", {"Nobody's"}),
        ("assignee:unassigned", {"Nobody's"}),
    ],
)
def test_who_left_is_found_by_name(alice, ann, eve, typed, subjects):
    make_ticket(alice, subject="Ann's", assignee=ann)
    make_ticket(alice, subject="Nobody's")
    assert found(typed, ann) == subjects


def test_name_means_all_who_have_it(alice, ann, eve):
    other = make_person("Eve Young", role=Role.SUPERVISOR, email="young@example.com")
    make_ticket(alice, subject="Young", assignee=other)
    assert found("assignee:eve", ann) == {"Open", "Done", "Young"}


def test_who_left_without_any_ticket_is_no_value(ann, alice):
    zoe = make_person("Zoe Quinn", role=Role.AGENT)
    assert Search("assignee:quinn", user=ann).problems == []
    leave(zoe, "deactivated")
    assert "is not a valid value for “assignee:”" in Search("assignee:quinn", user=ann).problems[0]
    assert "assignee:" in Search("assignee:alice", user=ann).problems[0]


def test_requester_learns_nobodys_name(alice, eve):
    assert "There is no filter" in Search("assignee:eve", user=alice).problems[0]


def test_search_box_and_more_filters_of_the_queue_find_them(client_of, ann, eve):
    client = client_of(ann)
    response = client.get(LIST, {"with_assignee": "Eve Novák", "phase": "all", "who": "all"}, follow=True)
    assert {ticket.subject for ticket in response.context["cl"].result_list} == {"Open", "Done"}
    site = client.get("/tickets/", {"assignee": "novak", "phase": "all"})
    assert {row.subject for row in site.context["rows"]} == {"Open", "Done"}


def test_filter_that_a_figure_leads_to_marks_the_name(client_of, ann, eve):
    content = body(client_of(ann).get(LIST, {"assignee": eve.pk, "who": "all"}))
    assert f"Eve Novák ({eve.mark})" in content
    assert "Ann Weber (" not in body(client_of(ann).get(LIST, {"assignee": ann.pk, "who": "all"}))


@pytest.mark.parametrize(
    ("query", "subjects"),
    [("q=assignee%3Anovak&who=all", ["Done", "Open"]), ("assignee={pk}&who=all", ["Open"])],
)
def test_saved_view_of_who_left_works_and_is_marked(client_of, ann, eve, query, subjects):
    client, query = client_of(ann), query.format(pk=eve.pk)
    assert client.post(f"{LIST}save-view/", {"name": "Of Eve", "query": query}).status_code == 302
    view = SavedView.objects.get()
    response = client.get(f"{LIST}?{view.query}")
    assert [ticket.subject for ticket in response.context["cl"].result_list] == subjects
    shown = {view["name"]: view for view in response.context["cl"].views}
    assert shown["Of Eve"]["count"] == str(len(subjects))
    assert shown["Of Eve"]["is_here"]
    assert shown["My queue"]["former"] == []
    assert f"Of Eve <small>Eve Novák ({eve.mark})</small>" in " ".join(body(response).split())
    assert f"Open</a> Eve Novák ({eve.mark})" in body(client.get(VIEWS))


@pytest.mark.parametrize("number", ["0", "x", "999999", "9" * 30, "%00", "-1"])
def test_saved_view_of_nobody_is_no_error(client_of, ann, alice, number):
    make_ticket(alice)
    SavedView.objects.create(owner=ann, name="Odd", query=f"assignee={number}")
    client = client_of(ann)
    assert client.get(LIST).status_code == client.get(VIEWS).status_code == 200
    assert client.get(f"{LIST}?{SavedView.objects.get().query}").status_code == 200


def test_list_of_views_asks_once_for_all_of_them(client_of, ann, eve):
    client, counts = client_of(ann), []
    for number in range(1, 21):
        SavedView.objects.create(owner=ann, name=f"V{number}", query=f"q=assignee:novak&assignee={eve.pk}")
        if number in (2, 20):
            with CaptureQueriesContext(
                connection,
            ) as captured:
                body(client.get(VIEWS))
            counts.append(len(captured))
    assert counts[0] == counts[1]
