"""Views of the queue under a name: own and shared, with counts."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.models import SavedView
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"
SAVE = f"{LIST}save-view/"


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def views(client, query: str = "") -> dict[str, str]:
    return {view["name"]: view["count"] for view in client.get(LIST + query).context["cl"].views}


def test_filters_and_search_are_saved_and_opened_again(client_of, ann, alice):
    make_ticket(alice, subject="Printer", priority="urgent")
    make_ticket(alice, subject="Mail", priority="urgent")
    client = client_of(ann)
    response = client.post(SAVE, {"name": "Urgent printers", "query": "priority=urgent&q=printer"})
    assert response.url == f"{LIST}?priority=urgent&q=printer"
    view = SavedView.objects.get()
    assert (view.owner, view.name) == (ann, "Urgent printers")
    shown = client.get(response.url)
    assert [ticket.subject for ticket in shown.context["cl"].result_list] == ["Printer"]
    assert views(client) == {"My queue": "2", "All open": "2", "Urgent printers": "1"}
    assert 'aria-current="page">Urgent printers' in body(shown)


def test_own_view_is_nobody_elses(client_of, ann, sam):
    client_of(ann).post(SAVE, {"name": "Mine", "query": "who=mine"})
    assert "Mine" not in views(client_of(sam))
    view = SavedView.objects.get()
    assert client_of(sam).get(f"/admin/tickets/savedview/{view.pk}/change/").status_code == 404


def test_supervisor_shares_a_view_and_an_agent_can_not(client_of, ann, sam):
    client_of(ann).post(SAVE, {"name": "Sneaky", "query": "who=all", "is_shared": "on"})
    assert SavedView.objects.get(name="Sneaky").owner == ann
    client_of(sam).post(SAVE, {"name": "For all", "query": "who=all", "is_shared": "on"})
    assert "For all" in views(client_of(ann))
    shared = SavedView.objects.get(name="For all")
    assert (
        client_of(ann).post(f"/admin/tickets/savedview/{shared.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


def test_name_that_is_used_is_replaced_only_when_asked(client_of, ann):
    client, again = client_of(ann), {"name": "A", "query": "who=unassigned"}
    for _click in range(2):
        client.post(SAVE, {"name": "A", "query": "who=mine"})
    response = client.post(SAVE, again)
    assert response.context["view_form"].errors.keys() == {"name"}
    assert 'name="replaces"' in body(response)
    assert SavedView.objects.get().query == "who=mine"
    assert client.post(SAVE, again | {"replaces": "on"}).status_code == 302
    assert SavedView.objects.get().query == "who=unassigned"


def test_own_view_may_be_called_like_a_shared_one(client_of, ann):
    SavedView.objects.create(name="A", query="who=all")
    assert client_of(ann).post(SAVE, {"name": "A", "query": "who=mine"}).status_code == 302
    assert SavedView.objects.count() == 2


def test_one_of_two_views_that_were_named_alike_is_replaced(client_of, ann):
    for query in ("who=mine", "who=all"):
        SavedView.objects.create(owner=ann, name="A", query=query)
    sent = {"name": "A", "query": "who=unassigned", "replaces": "on"}
    assert client_of(ann).post(SAVE, sent).status_code == 302
    assert SavedView.objects.filter(query="who=unassigned").count() == 1


def test_filters_that_are_too_long_are_refused(client_of, ann, unchanged):
    """In an address each of these letters takes six characters."""
    client = client_of(ann)
    with unchanged():
        response = client.post(SAVE, {"name": "Long", "query": f"q={'ü' * 300}"})
    assert "These filters are too long to save." in body(response)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "two\nlines", "nul\0"])
def test_bad_name_is_an_error_at_the_field_and_keeps_filters(client_of, ann, alice, name):
    make_ticket(alice, subject="Printer", priority="urgent")
    make_ticket(alice, subject="Mail")
    response = client_of(ann).post(SAVE, {"name": name, "query": "priority=urgent"})
    assert response.context["view_form"].errors.keys() == {"name"}
    assert [ticket.subject for ticket in response.context["cl"].result_list] == ["Printer"]
    assert 'name="query" value="priority=urgent"' in body(response)
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("query", ["password__startswith=a", "nonsense=1", "p=x", "%00=1"])
def test_filters_that_the_queue_does_not_know_are_not_saved(client_of, ann, query):
    response = client_of(ann).post(SAVE, {"name": "A", "query": query})
    assert response.status_code == 302
    assert not SavedView.objects.exclude(query="").filter(query__contains="password").exists()


@pytest.mark.parametrize("query", ["tag=5", "category=999", "phase=gone&who=gone", "%00=1", "o=77", ""])
def test_view_whose_filter_is_gone_still_opens(client_of, ann, query):
    make_ticket(ann)
    SavedView.objects.create(owner=ann, name="Old", query=query)
    client = client_of(ann)
    view = next(view for view in client.get(LIST).context["cl"].views if view["name"] == "Old")
    assert view["count"] == "1"
    page = client.get(f"{LIST}?{view['query']}", follow=True)
    assert page.status_code == 200
    assert len(page.context["cl"].result_list) == 1


def test_search_with_a_nul_counts_nothing(client_of, ann):
    make_ticket(ann)
    SavedView.objects.create(owner=ann, name="Odd", query="q=%00x")
    assert views(client_of(ann))["Odd"] == "0"


def test_counting_ends_at_the_most(client_of, alice, ann, monkeypatch):
    monkeypatch.setattr("helpdesk.lists.paging.MOST_COUNTED", 3)
    for _number in range(3):
        make_ticket(alice)
    assert views(client_of(ann))["My queue"] == "3"
    make_ticket(alice)
    assert views(client_of(ann))["My queue"] == "3+"


def test_queries_do_not_grow_with_the_views(client_of, alice, ann):
    def count() -> int:
        client = client_of(ann)
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return len(queries)

    def add(number: int) -> None:
        for place in range(number):
            query = f"category={category().pk}&q=printer&period=week"
            SavedView.objects.create(owner=ann, name=f"View {place}", query=query)

    make_ticket(alice)
    add(1)
    few = count()
    add(10)
    assert count() == few <= 13


def test_view_is_renamed_and_deleted(client_of, ann):
    client = client_of(ann)
    client.post(SAVE, {"name": "A", "query": "who=mine"})
    view = SavedView.objects.get()
    assert client.post(f"/admin/tickets/savedview/{view.pk}/change/", {"name": "B"}).status_code == 302
    view.refresh_from_db()
    assert (view.name, view.query, view.owner) == ("B", "who=mine", ann)
    client.post(f"/admin/tickets/savedview/{view.pk}/delete/", {"post": "yes"})
    assert not SavedView.objects.exists()


def test_requester_can_save_nothing(client_of, alice):
    client_of(alice).post(SAVE, {"name": "A", "query": "who=mine"})
    assert not SavedView.objects.exists()


def test_many_views_do_not_fill_the_page(client_of, ann):
    make_person("Other Agent", role=Role.AGENT)
    for number in range(30):
        SavedView.objects.create(name=f"View {number:02}", owner=ann, query="who=mine")
    assert len(views(client_of(ann))) == 14
