"""The ticket's page says what happens now, and offers "Mark as solved" in the right place."""

import re
from html import unescape

import pytest

from accounts.actor import acting_as
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.history import timeline
from tickets.tests.factories import ask, make_ticket, status

pytestmark = pytest.mark.django_db
BANNER = "We need your reply"


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


def page(client, ticket, part: str = "") -> str:
    return unescape(client.get(f"{ticket.get_absolute_url()}{part}").content.decode())


def status_line(content: str) -> str:
    return re.search(r'class="status-line"[^>]*><span[^>]*>([^<]*)<', content)[1]


def answer(ticket, ann, **more) -> None:
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="We have ordered it."), **more)


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        ("new", "Assigned to Ann Weber."),
        ("active", "Ann Weber is working on it."),
        ("waiting", "This ticket is on hold."),
        ("done", "Solved by Ann Weber."),
    ],
)
def test_status_is_one_sentence(client_of, alice, ann, phase, sentence):
    ticket = make_ticket(alice, assignee=ann, phase=phase)
    assert status_line(page(client_of(alice), ticket)) == sentence


def test_merged_ticket_says_so(client_of, alice, ann, ticket):
    with acting_as(ann):
        merging.merge(ticket, make_ticket(alice))
    ticket.refresh_from_db()
    assert status_line(page(client_of(alice), ticket)) == "This ticket was merged into another one."


def test_banner_repeats_the_question_to_the_requester_only(client_of, alice, bob, ann, ticket):
    conversation.watch(ticket, bob)
    ask(ticket, ann, "It is half there.\nWhen may I do it: now, or at 14:30?")
    content = page(client_of(alice), ticket)
    assert BANNER in content
    assert "asks: “When may I do it: now, or at 14:30?”" in content
    assert 'href="#reply"' in content
    assert "<title>Needs your reply: #" in content
    assert "status-line" not in content
    for other in (bob, ann):
        content = page(client_of(other), ticket)
        assert BANNER not in content
        assert status_line(content) == "Waiting for the requester’s reply."


def test_banner_goes_with_the_reply(client_of, alice, ann, ticket):
    ask(ticket, ann, "Please restart it and write to us.")
    client = client_of(alice)
    content = page(client, ticket)
    assert BANNER in content
    assert "asks:" not in content
    conversation.reply(ticket, Message(author=alice, body="It works better now, but it is slow."))
    assert BANNER not in page(client, ticket)


def test_banner_comes_and_goes_live(client_of, alice, ann, ticket):
    client = client_of(alice)
    before = timeline.last_number(ticket, alice)
    ask(ticket, ann, "Which room?")
    assert BANNER in page(client, ticket, f"timeline/?after={before}")


def test_question_costs_one_query(client_of, alice, ann, ticket, django_assert_max_num_queries):
    client = client_of(alice)
    answer(ticket, ann, status=status("waiting"))
    with django_assert_max_num_queries(40) as without:
        page(client, ticket)
    ask(ticket, ann, "Which room?")
    with django_assert_max_num_queries(len(without) + 1):
        page(client, ticket)


def test_mark_as_solved_is_in_the_details_before_the_first_reply(client_of, alice, ann, ticket):
    client = client_of(alice)
    content = page(client, ticket)
    assert content.count("Mark as solved") == 1
    assert 'id="facts-close"' in content
    answer(ticket, ann)
    content = page(client, ticket)
    assert content.count("Mark as solved") == 1
    assert 'class="btn end" type="submit" form="solve"' in content
    ask(ticket, ann, "Which room?")
    assert 'class="btn btn-quiet end" type="submit" form="solve"' in page(client, ticket)
    client.post(f"{ticket.get_absolute_url()}close/")
    assert "Mark as solved" not in page(client, ticket)


def test_mark_as_solved_moves_live_beside_the_reply(client_of, alice, ann, ticket):
    client, before = client_of(alice), timeline.last_number(ticket, alice)
    assert 'id="solve-beside-reply"' in page(client, ticket)
    answer(ticket, ann)
    news = page(client, ticket, f"timeline/?after={before}")
    assert re.search(r'id="solve-beside-reply"\s+data-hx-swap-oob="true"', news)
    assert 'class="btn end" type="submit" form="solve"' in news
    assert 'id="facts-close"' not in news


def test_watcher_may_not_solve(client_of, alice, bob, ann, ticket):
    conversation.watch(ticket, bob)
    answer(ticket, ann, status=status("active"))
    assert "Mark as solved" not in page(client_of(bob), ticket)
