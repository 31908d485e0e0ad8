"""The first page for a visitor, a requester and staff; the page about the helpdesk."""

import re
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Draft, Notification, Ticket
from tickets.tests.factories import ask, held_mail, make_ticket

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


def titles(page) -> list[str]:
    return re.findall(r'class="row-title"[^>]*>([^<]*)<', page.content.decode())


def test_tickets_that_need_a_reply_come_first_with_the_question(client_of, alice, ann):
    asked = make_ticket(alice, subject="Asked", assignee=ann)
    ask(asked, ann, "Thank you.\nIt is an old one. Which cable do you use, the grey or the black one?\nAnn")
    make_ticket(alice, subject="Later", assignee=ann, phase="active")
    page = client_of(alice).get("/")
    content = page.content.decode()
    assert titles(page) == ["Asked", "Later"]
    assert "<title>(1) Home" in content
    assert content.count("data-needs-reply") == content.count("Needs your reply") == 1
    assert "Ann Weber asks: Which cable do you use, the grey or the black one?" in unescape(content)
    assert "Ann Weber is working on it." in content


def test_list_marks_what_needs_a_reply(client_of, alice, ann):
    asked = make_ticket(alice, subject="Asked")
    ask(asked, ann, "Please restart it and write to us.")
    make_ticket(alice, subject="Later")
    page = client_of(alice).get("/tickets/")
    content = page.content.decode()
    assert titles(page) == ["Later", "Asked"]
    assert "<title>(1) My tickets" in content
    assert content.count("Needs your reply") == 1
    assert "We’re waiting for your reply." in content


def test_question_of_an_internal_note_is_never_shown(client_of, alice, ann):
    asked = make_ticket(alice)
    ask(asked, ann, "Which cable do you use?")
    with acting_as(ann):
        conversation.note(asked, Message(author=ann, body="Does he ever read a manual?"))
    content = client_of(alice).get("/").content.decode()
    assert "Which cable do you use?" in content
    assert "manual" not in content


def test_watcher_is_not_asked_to_reply(client_of, alice, bob, ann):
    ticket = make_ticket(alice)
    conversation.watch(ticket, bob)
    ask(ticket, ann, "Which cable do you use?")
    content = client_of(bob).get("/tickets/").content.decode()
    assert "Needs your reply" not in content
    assert "Waiting for the requester’s reply." in content


def test_words_from_home_become_the_subject_of_the_form(client_of, alice):
    page = client_of(alice).get("/tickets/new/", {"subject": "  email is\nslow "})
    assert page.context["form"]["subject"].value() == "email is slow"
    page = client_of(alice).get("/tickets/new/", {"subject": "x" * 500})
    assert page.context["form"]["subject"].value() == "x" * 150


def test_words_from_home_leave_a_draft_alone_and_offer_it(client_of, alice):
    Draft.objects.keep(
        person=alice,
        ticket=None,
        kind=Draft.Kind.TICKET,
        key=uuid4(),
        body="About the scanner",
        fields={"subject": "Scanner"},
    )
    client = client_of(alice)
    form = client.get("/tickets/new/", {"subject": "Email is slow"}).context["form"]
    assert (form["subject"].value(), form["description"].value()) == ("Email is slow", None)
    assert [draft.body for draft in form.other_drafts] == ["About the scanner"]
    assert client.get("/tickets/new/").context["form"]["description"].value() == "About the scanner"


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
        ("Emails not delivered", 1),
    ]
    for figure in figures:
        assert client_of(ann).get(figure.url).status_code == 200


def test_staff_find_the_mail_in_quarantine_where_mail_comes_in(client_of, ann, settings):
    settings.INBOUND_DOMAIN = "in.example.com"
    held_mail()
    figure = client_of(ann).get("/").context["figures"][-1]
    assert (figure.label, figure.count) == ("Emails in quarantine", 1)


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
    assert "You, IT staff, and the colleagues whom you or IT add as watchers." in about
    assert "Only the requester, the watchers and IT staff can open a ticket." in absent


def test_queries_do_not_grow_with_the_tickets(client_of, alice, ann):
    def count(client) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
        return len(queries)

    clients = client_of(alice), client_of(ann)
    for _number in range(2):
        make_ticket(alice, assignee=ann)
    ask(Ticket.objects.first(), ann, "Which one?")
    few = [count(client) for client in clients]
    for _number in range(18):
        ticket = make_ticket(alice, assignee=ann)
        ask(ticket, ann, "Which one?")
    assert [count(client) for client in clients] == few
    assert max(few) <= 6
