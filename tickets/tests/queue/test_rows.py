"""The rows of the queue: the newest message, the last public reply, and who waits for whom."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.admin.queue import last_messages
from tickets.admin.queue.last_messages import needs_reply
from tickets.models import Comment, Ticket
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


def row(client, ticket) -> Ticket:
    found = client.get(f"{LIST}?phase=all").context["cl"].result_list
    return next(one for one in found if one.pk == ticket.pk)


def cells(client, ticket) -> str:
    page = client.get(f"{LIST}?phase=all").content.decode()
    return next(part for part in page.split("<tr>") if f"/{ticket.pk}/change/" in part)


def say(ticket, author, body: str, *, internal: bool = False) -> None:
    with acting_as(author):
        act = conversation.note if internal else conversation.reply
        act(ticket, Message(author=author, body=body))


def test_ticket_without_a_reply_shows_its_description_and_who_filed_it(client_of, ann, alice):
    ticket = make_ticket(alice, description="It hums.\n\nSince   today.")
    shown = row(client_of(ann), ticket)
    assert shown.newest_message.snippet == "It hums. Since today."
    assert (shown.last_reply.name, shown.last_reply.sent_at) == ("Alice Moreau", ticket.created_at)
    assert needs_reply(shown)
    assert "Needs reply" in cells(client_of(ann), ticket)


def test_last_reply_is_public_and_the_snippet_is_the_newest_of_all(client_of, ann, sam, alice):
    ticket = make_ticket(alice)
    say(ticket, ann, "Try the other cable.")
    say(ticket, sam, "The <b>cable</b> is broken", internal=True)
    shown, html = row(client_of(ann), ticket), cells(client_of(ann), ticket)
    assert shown.last_reply.author_id == ann.pk
    assert not needs_reply(shown)
    assert "Needs reply" not in html
    assert "Internal note by <bdi>Sam</bdi>:" in html
    assert "The &lt;b&gt;cable&lt;/b&gt; is broken" in html
    assert "other cable" not in html


def test_rows_call_staff_whom_the_rights_call_staff(ann, sam, root, alice, bob):
    former = make_person("Fay Former", role=Role.AGENT, is_active=False)
    authors = [ann, sam, root, alice, bob, former]
    tickets = [make_ticket(alice) for _author in authors]
    for ticket, author in zip(tickets, authors, strict=True):
        Comment.objects.create(ticket=ticket, author=author, body="Hello", is_public=True)
    last_messages.attach(tickets)
    staff = {person.pk for person in User.objects.staff()}
    assert [ticket.last_reply.is_by_staff for ticket in tickets] == [one.pk in staff for one in authors]


@pytest.mark.parametrize(
    ("who", "phase", "expected"),
    [
        ("alice", "active", True),
        ("bob", "active", True),  # a watcher speaks for the requester's side
        ("ann", "active", False),
        ("alice", "waiting", False),
        ("alice", "done", False),
    ],
)
def test_requester_side_waits_for_us_where_it_spoke_last(client_of, ann, alice, bob, who, phase, expected):
    ticket = make_ticket(alice, phase="active")
    conversation.watch(ticket, bob)
    say(ticket, {"alice": alice, "bob": bob, "ann": ann}[who], "Any news?")
    if phase != "active":
        ticket.refresh_from_db()
        ticket.set_status(status(phase))
    assert needs_reply(row(client_of(ann), ticket)) == expected


def test_staff_who_ask_for_themselves_are_requesters_there(client_of, ann, sam):
    ticket = make_ticket(sam, phase="active")
    say(ticket, sam, "My own problem")
    assert needs_reply(row(client_of(ann), ticket))


def test_found_passage_stands_in_the_row(client_of, ann, alice):
    ticket = make_ticket(alice, description="The flamingo is pink.")
    say(ticket, ann, "Newer words.")
    page = client_of(ann).get(f"{LIST}?q=flamingo").content.decode()
    assert "<mark>flamingo</mark>" in page
    assert "Newer words" not in page


def test_snippet_of_a_long_message_is_cut(client_of, ann, alice):
    ticket = make_ticket(alice)
    say(ticket, alice, "word " * 3000)
    snippet = row(client_of(ann), ticket).newest_message.snippet
    assert snippet.startswith("word word")
    assert len(snippet) <= 160


def test_queries_do_not_grow_with_rows_and_messages(client_of, ann, alice):
    def count() -> int:
        client = client_of(ann)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{LIST}?phase=open")
        return len(queries)

    for _number in range(2):
        say(make_ticket(alice), ann, "Hello")
    few = count()
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        for _number in range(8):
            ticket = make_ticket(alice)
            for author in (ann, alice, ann):
                say(ticket, author, "Hello", internal=author == ann)
    assert count() == few <= 12
