"""The first page for a visitor, a requester and staff; the page about the helpdesk."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tickets import conversation
from tickets.models import Notification
from tickets.tests.factories import held_mail, make_ticket

pytestmark = pytest.mark.django_db


def test_visitor_reads_what_this_is_and_costs_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        content = client.get("/").content.decode()
    assert "Log in" in content
    assert "Sign up" in content


def test_requester_finds_the_own_open_tickets(client_of, alice, bob):
    make_ticket(alice, subject="Mine")
    make_ticket(alice, subject="Solved", phase="done")
    make_ticket(bob, subject="Theirs")
    content = client_of(alice).get("/").content.decode()
    assert "Mine" in content
    assert "Solved" not in content
    assert "Theirs" not in content


def test_staff_find_the_days_figures(client_of, alice, ann):
    make_ticket(alice)
    make_ticket(alice, phase="waiting", assignee=ann)
    make_ticket(alice, phase="done", assignee=ann)
    Notification.objects.filter(kind="created").first().delete()
    Notification.objects.filter(pk=Notification.objects.first().pk).update(state="failed")
    figures = client_of(ann).get("/").context["figures"]
    assert [(figure.label, figure.count) for figure in figures] == [
        ("New", 1),
        ("Unassigned", 1),
        ("Mine", 1),
        ("Waiting", 1),
        ("Mail not delivered", 1),
    ]
    for figure in figures:
        assert client_of(ann).get(figure.url).status_code == 200


def test_staff_find_the_mail_in_quarantine_where_mail_comes_in(client_of, ann, settings):
    settings.INBOUND_DOMAIN = "in.example.com"
    held_mail()
    figure = client_of(ann).get("/").context["figures"][-1]
    assert (figure.label, figure.count) == ("Mail in quarantine", 1)


def test_figures_lead_to_lists_of_the_same_length(client_of, alice, ann, settings):
    settings.INBOUND_DOMAIN = "in.example.com"
    held_mail()
    for _number in range(3):
        make_ticket(alice)
    make_ticket(alice, phase="waiting", assignee=ann)
    client = client_of(ann)
    for figure in client.get("/").context["figures"]:
        assert client.get(figure.url).context["cl"].result_count == figure.count


def test_about_page_says_how_to_reach_it(client, settings):
    settings.SUPPORT_PHONE, settings.SUPPORT_EMAIL = "555 0100", "it@example.com"
    content = client.get("/about/").content.decode()
    for words in ("555 0100", "it@example.com", "Monday to Friday"):
        assert words in content


def test_pages_say_truly_who_reads_a_ticket(client, client_of, alice, bob, charlie, ann):
    """A watcher reads it too."""
    ticket = make_ticket(alice)
    conversation.watch(ticket, bob)
    readers = [
        one
        for one in (alice, bob, charlie, ann)
        if client_of(one).get(ticket.get_absolute_url()).status_code == 200
    ]
    assert readers == [alice, bob, ann]
    about, absent = (client.get(path).content.decode() for path in ("/about/", "/nothing/"))
    assert "You, the IT staff, and the colleagues whom you or IT add as watchers." in about
    assert "A ticket opens only for its requester, its watchers and IT staff." in absent


def test_queries_do_not_grow_with_the_tickets(client_of, alice, ann):
    def count(client) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
        return len(queries)

    clients = client_of(alice), client_of(ann)
    for _number in range(2):
        make_ticket(alice, assignee=ann)
    few = [count(client) for client in clients]
    for _number in range(18):
        make_ticket(alice, assignee=ann)
    assert [count(client) for client in clients] == few
    assert max(few) <= 6
