"""Views of the queue under a name: own and shared, with counts."""

import pytest

from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.models import SavedView
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"
SAVE = f"{LIST}save-view/"


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def views(client, query: str = "") -> dict[str, str]:
    return {view["name"]: view["count"] for view in client.get(LIST + query).context["views"]}


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
    assert views(client) == {"My queue": "2", "Urgent printers": "1"}
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


def test_same_name_replaces_the_own_view(client_of, ann):
    for query in ("who=mine", "who=unassigned"):
        client_of(ann).post(SAVE, {"name": "A", "query": query})
    assert SavedView.objects.get().query == "who=unassigned"


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


def test_view_whose_filter_is_gone_is_still_listed(client_of, ann):
    SavedView.objects.create(name="Old", owner=ann, query="gone__filter=1")
    assert views(client_of(ann))["Old"] == ""


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
    assert len(views(client_of(ann))) == 13
