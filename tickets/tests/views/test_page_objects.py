"""TicketList and TicketPage: one object for each page, whatever asks for it and in whatever order."""

import pytest
from django.db import connection
from django.http import Http404, QueryDict
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.forms.conversation import ReplyForm
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.views.ticket_list import TicketList, without_old_phase
from tickets.views.ticket_page import TicketPage, find_ticket, newest_number

pytestmark = pytest.mark.django_db


def say(ticket: Ticket, author, body: str) -> None:
    with acting_as(author):
        conversation.reply(ticket, Message(author=author, body=body))


@pytest.fixture
def ticket(alice, bob, ann):
    ticket = make_ticket(alice, assignee=ann)
    conversation.watch(ticket, bob)
    say(ticket, ann, "Is it plugged in?")
    return ticket


def queries_of(ask) -> int:
    with CaptureQueriesContext(connection) as queries:
        ask()
    return len(queries)


# The page
def test_people_are_there_once_it_is_made(alice, bob, ann, ticket, django_assert_num_queries):
    page = TicketPage(find_ticket(ticket.pk, alice), alice)
    with django_assert_num_queries(0):
        assert (page.ticket.requester, page.ticket.assignee, page.ticket.watching) == (alice, ann, [bob])
        assert [entry.actor_name for entry in page.entries if entry.comment] == [str(ann)]


def test_number_of_queries_does_not_grow_with_the_story(alice, bob, ann, charlie, ticket):
    def read():
        page = TicketPage(find_ticket(ticket.pk, alice), alice)
        page.context()

    read()  # and with it the reader's groups
    few = queries_of(read)
    for author in (alice, bob, ann):
        say(ticket, author, "And now?")
    conversation.watch(ticket, charlie)
    assert queries_of(read) == few


def test_what_is_asked_first_does_not_matter(alice, ann, ticket):
    for reader in (alice, ann):
        one = TicketPage(find_ticket(ticket.pk, reader), reader)
        other = TicketPage(find_ticket(ticket.pk, reader), reader)
        facts, names = one.facts(), [*one.conversation()]
        assert ([*other.conversation()], other.facts()) == (names, facts)


def test_refused_form_stands_as_it_was_sent(alice, ticket):
    refused = ReplyForm({"body": ""}, ticket=ticket, author=alice)
    assert not refused.is_valid()
    page = TicketPage(find_ticket(ticket.pk, alice), alice, refused={"reply_form": refused})
    assert page.context()["reply_form"] is refused


@pytest.mark.parametrize(
    ("who", "phase", "reopens"), [("alice", "done", True), ("alice", "new", False), ("ann", "done", False)]
)
def test_requester_reads_that_a_reply_reopens(request, ticket, who, phase, reopens):
    if phase == "done":
        ticket.close()
    reader = request.getfixturevalue(who)
    page = TicketPage(find_ticket(ticket.pk, reader), reader)
    assert page.reply_reopens is reopens
    assert page.reply_becomes_ticket is False


def test_only_what_is_new_is_read(alice, ann, ticket):
    after = newest_number(ticket.pk, alice, after=0)
    assert newest_number(ticket.pk, alice, after=after) == 0
    say(ticket, ann, "It is not.")
    last = newest_number(ticket.pk, alice, after=after)
    news = TicketPage(find_ticket(ticket.pk, alice), alice, after=after).news(last)
    assert [entry.body for entry in news["timeline"]] == ["It is not."]
    assert news["last_number"] == last > after


def test_ticket_of_somebody_else_is_absent(charlie, ticket):
    with pytest.raises(Http404):
        find_ticket(ticket.pk, charlie)
    with pytest.raises(Http404):
        newest_number(ticket.pk, charlie, after=0)


def test_belongings_are_read_once_and_say_what_is_there(ticket, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert not ticket.has_merged
        assert ticket.files == []
        assert len(ticket.belongings.watchers) == 1


# The list
def test_list_leaves_the_query_of_the_address_alone(alice, ticket):
    query = QueryDict("q=printer&within=scanner&phase=new&state=0")
    tickets = TicketList(alice, query)
    tickets.context()
    assert query.urlencode() == "q=printer&within=scanner&phase=new&state=0"
    assert "phase" not in tickets.shown_query
    assert "state" not in tickets.shown_query


@pytest.mark.parametrize("who", ["alice", "ann"])
@pytest.mark.parametrize("sent", ["", "phase=all", "q=printer", "phase=done&q=printer"])
def test_parts_of_a_list_are_the_same_in_any_order(request, ticket, who, sent):
    reader = request.getfixturevalue(who)
    one, other = TicketList(reader, QueryDict(sent)), TicketList(reader, QueryDict(sent))
    tabs, rows = one.tabs, [row.pk for row in one.rows]
    assert ([row.pk for row in other.rows], other.tabs) == (rows, tabs)
    assert one.context()["tabs"] == tabs


def test_list_says_whether_it_is_as_before(alice, ann, ticket):
    state = TicketList(alice, QueryDict()).state.text
    assert TicketList(alice, QueryDict(f"state={state}")).is_unchanged
    say(ticket, ann, "It is not.")
    assert not TicketList(alice, QueryDict(f"state={state}")).is_unchanged


def test_number_leads_to_its_ticket(alice, charlie, ticket):
    assert TicketList(alice, QueryDict(f"q=%23{ticket.pk}")).jump == Ticket.objects.get(pk=ticket.pk)
    assert TicketList(charlie, QueryDict(f"q=%23{ticket.pk}")).jump is None


@pytest.mark.parametrize(
    ("sent", "phase"),
    [("q=a&within=a&phase=new", "new"), ("q=b&within=a&phase=new", None), ("q=b&phase=new", "new")],
)
def test_other_words_are_asked_of_all_phases(sent, phase):
    assert without_old_phase(QueryDict(sent)).get("phase") == phase
