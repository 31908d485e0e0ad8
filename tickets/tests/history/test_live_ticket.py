"""The fragment behind live updates: cheap while nothing is new, and the same for a note as for nothing."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.history import timeline
from tickets.tests.factories import make_ticket, status, upload

pytestmark = pytest.mark.django_db
OF_EVERY_PAGE = 3  # session, person, groups


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


def poll(client, ticket, after):
    return client.get(f"/tickets/{ticket.pk}/timeline/", {"after": after})


@pytest.mark.parametrize("who", ["alice", "ann"])
def test_unchanged_is_204_by_two_queries(client_of, alice, ann, ticket, who):
    reader = {"alice": alice, "ann": ann}[who]
    conversation.reply(ticket, Message(author=ann, body="Hello", files=[upload()]))
    client = client_of(reader)
    last = client.get(ticket.get_absolute_url()).context["last_number"]
    with CaptureQueriesContext(connection) as queries:
        response = poll(client, ticket, last)
    assert (response.status_code, response.content) == (204, b"")
    assert len(queries) <= OF_EVERY_PAGE + 2


def test_news_come_with_the_facts_as_they_are_now(client_of, alice, ann, ticket):
    client = client_of(alice)
    last = client.get(ticket.get_absolute_url()).context["last_number"]
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Which room?"), status=status("waiting"))
    content = poll(client, ticket, last).content.decode()
    assert "Which room?" in content
    assert "New reply by Ann Weber" in content
    assert '<div class="facts" id="facts" data-hx-swap-oob="true"' in content
    assert '<div class="headline" id="headline" data-hx-swap-oob="true">' in content
    assert "On Hold" in content
    assert "This ticket is on hold." in content
    assert f'value="{timeline.last_number(ticket, alice)}" data-hx-swap-oob="true"' in content


def test_only_what_is_new_is_sent(client_of, alice, ann, ticket):
    conversation.reply(ticket, Message(author=ann, body="First"))
    after = timeline.last_number(ticket, alice)
    conversation.reply(ticket, Message(author=ann, body="Second"))
    content = poll(client_of(alice), ticket, after).content.decode()
    assert "Second" in content
    assert "First" not in content


@pytest.mark.parametrize("after", ["", "x", "-1", "1.5", "\0", "9" * 40, "١", "0", "9" * 18])
def test_odd_numbers_are_no_error(client_of, alice, ticket, after):
    assert poll(client_of(alice), ticket, after).status_code in (200, 204)


def test_number_missing_is_the_whole_story(client_of, alice, ticket):
    assert client_of(alice).get(f"/tickets/{ticket.pk}/timeline/").status_code == 200


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_note_is_no_news_for_others_than_staff(client_of, alice, bob, ann, ticket, who):
    conversation.watch(ticket, bob)
    client = client_of({"alice": alice, "bob": bob}[who])
    before = client.get(ticket.get_absolute_url())
    last = before.context["last_number"]
    conversation.note(ticket, Message(author=ann, body="Internal", files=[upload()]))
    assert poll(client, ticket, last).status_code == 204
    assert client.get(ticket.get_absolute_url()).context["last_number"] == last
    assert poll(client_of(ann), ticket, last).status_code == 200


def test_reply_that_is_taken_back_goes_from_every_page(client_of, alice, bob, ann, ticket):
    conversation.watch(ticket, bob)
    comment = conversation.reply(ticket, Message(author=ann, body="Sent too soon"))
    after = {reader: timeline.last_number(ticket, reader) for reader in (alice, bob, ann)}
    key = comment.key
    conversation.take_back(comment, author=ann)
    for reader, last in after.items():
        content = poll(client_of(reader), ticket, last).content.decode()
        assert f"delete:[data-key='{key}']" in content
        assert "Sent too soon" not in content


def test_reply_that_never_stood_on_the_page_is_not_taken_from_it(client_of, alice, ann, ticket):
    last = client_of(alice).get(ticket.get_absolute_url()).context["last_number"]
    conversation.take_back(conversation.reply(ticket, Message(author=ann, body="Sent too soon")), author=ann)
    assert "delete:" not in poll(client_of(alice), ticket, last).content.decode()


def test_outsider_visitor_and_who_watches_no_more(client, client_of, bob, charlie, ticket):
    assert poll(client_of(charlie), ticket, 0).status_code == 404
    assert poll(client, ticket, 0).status_code == 302
    conversation.watch(ticket, bob)
    watcher = client_of(bob)
    assert poll(watcher, ticket, 0).status_code == 200
    conversation.unwatch(ticket, bob)
    assert poll(watcher, ticket, 0).status_code == 404


def test_own_reply_can_be_taken_back_for_the_rest_of_the_time(client_of, ann, ticket):
    now = timezone.now()
    with time_machine.travel(now, tick=False), acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Hello"))
    with time_machine.travel(now + timedelta(seconds=12.5), tick=False):
        assert 'data-seconds="8"' in poll(client_of(ann), ticket, 0).content.decode()
    with time_machine.travel(now + timedelta(seconds=20), tick=False):
        assert "data-seconds" not in poll(client_of(ann), ticket, 0).content.decode()
