"""An open list asks whether something changed: 204 while nothing did, and the same for what it does not show."""

from types import SimpleNamespace

import pytest

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.history.live import list_state
from tickets.models import Ticket
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
LIST = "/tickets/"


@pytest.fixture
def at(alice, bob, ann):
    """Alice looks at the list: an own ticket stands there and one of bob's that she watches."""
    own, watched, foreign = make_ticket(alice), make_ticket(bob), make_ticket(bob)
    conversation.watch(watched, alice)
    return SimpleNamespace(alice=alice, bob=bob, ann=ann, own=own, watched=watched, foreign=foreign)


def change(ticket, **values):
    Ticket.objects.filter(pk=ticket.pk).change(**values)


SHOWN = {
    "a new one": lambda at: make_ticket(at.alice),
    "answered": lambda at: conversation.reply(at.own, Message(author=at.ann, body="Hello")),
    "assigned": lambda at: change(at.own, assignee=at.ann),
    "moved": lambda at: change(at.own, category=category("Network")),
    "renamed": lambda at: change(at.own, subject="No sound"),
    "given away": lambda at: change(at.own, requester=at.bob),
    "withdrawn": lambda at: at.own.delete(),
    "given to her": lambda at: change(at.foreign, requester=at.alice),
    "watched from now on": lambda at: conversation.watch(at.foreign, at.alice),
    "watched no more": lambda at: conversation.unwatch(at.watched, at.alice),
    "watched and answered": lambda at: conversation.reply(at.watched, Message(author=at.ann, body="Hello")),
    "watched and withdrawn": lambda at: at.watched.delete(),
}
NOT_SHOWN = {
    "nothing": lambda at: None,
    "a note": lambda at: conversation.note(at.own, Message(author=at.ann, body="Hello")),
    "a note where she watches": lambda at: conversation.note(
        at.watched, Message(author=at.ann, body="Hello")
    ),
    "a foreign one": lambda at: make_ticket(at.bob),
    "a foreign one answered": lambda at: conversation.reply(at.foreign, Message(author=at.ann, body="Hello")),
    "a foreign one withdrawn": lambda at: at.foreign.delete(),
}


def answer_after(act, at, client) -> int:
    state = client.get(LIST).context["state"]
    with acting_as(at.ann):
        act(at)
    return client.get(LIST, {"state": state}).status_code


@pytest.mark.parametrize("act", SHOWN.values(), ids=SHOWN)
def test_what_a_list_shows_is_news(at, client_of, act):
    assert answer_after(act, at, client_of(at.alice)) == 200


@pytest.mark.parametrize("act", NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_what_it_does_not_show_is_none(at, client_of, act):
    assert answer_after(act, at, client_of(at.alice)) == 204


def test_list_holds_own_and_watched_tickets(at):
    def listed(person) -> set[int]:
        return {ticket.pk for part in list_state(person).parts for ticket in part}

    assert listed(at.alice) == {at.own.pk, at.watched.pk}
    assert listed(at.bob) == {at.watched.pk, at.foreign.pk}
    assert listed(at.ann) == {at.own.pk, at.watched.pk, at.foreign.pk}


def test_list_of_who_watches_nothing_has_one_part(at):
    assert [len(list_state(person).parts) for person in (at.alice, at.bob, at.ann)] == [2, 1, 1]


@pytest.mark.parametrize("name", sorted({*SHOWN, *NOT_SHOWN} - {"nothing"}))
def test_all_of_it_is_news_for_staff(at, client_of, name):
    assert answer_after((SHOWN | NOT_SHOWN)[name], at, client_of(at.ann)) == 200
