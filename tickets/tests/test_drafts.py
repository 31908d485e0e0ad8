"""What is typed on a ticket's page is kept on the server: per person, ticket and kind; never sent by itself."""

import uuid

import pytest

from tickets import conversation
from tickets.models import Comment, Draft, Notification
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(alice, bob, ann):
    ticket = make_ticket(alice, assignee=ann)
    conversation.watch(ticket, bob)
    return ticket


def keep(client, ticket, body: str = "Half a sentence", *, kind: str = "reply", **data) -> int:
    return client.post(f"/tickets/{ticket.pk}/draft/", {"kind": kind, "body": body, **data}).status_code


def page(client, ticket) -> str:
    return client.get(ticket.get_absolute_url()).content.decode()


def test_draft_stands_in_the_form_until_it_is_sent(client_of, alice, ticket):
    client = client_of(alice)
    assert keep(client, ticket) == 204
    assert keep(client, ticket, "Half a sentence, and more") == 204
    assert Draft.objects.get().body == "Half a sentence, and more"
    assert "Half a sentence, and more</textarea>" in page(client, ticket)
    assert not Comment.objects.exists()
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Half a sentence, and more, sent"})
    assert not Draft.objects.exists()


def test_reply_and_note_are_two_drafts_and_the_note_opens(client_of, ann, ticket):
    client = client_of(ann)
    keep(client, ticket, "To Alice")
    assert '<details class="say panel" data-kind="note" id="note">' in page(client, ticket)
    keep(client, ticket, "To colleagues", kind="note")
    content = page(client, ticket)
    assert "To Alice</textarea>" in content
    assert "To colleagues</textarea>" in content
    assert '<details class="say panel" data-kind="note" id="note" open>' in content
    client.post(f"/tickets/{ticket.pk}/note/", {"body": "To colleagues"})
    assert Draft.objects.get().body == "To Alice"


def test_nobody_else_sees_it(client_of, alice, bob, ann, sam, ticket):
    keep(client_of(alice), ticket)
    for other in (bob, ann, sam):
        assert "Half a sentence" not in page(client_of(other), ticket)
    assert "Half a sentence" not in page(client_of(alice), make_ticket(alice))


def test_nothing_typed_leaves_nothing(client_of, alice, ticket):
    client = client_of(alice)
    keep(client, ticket)
    assert keep(client, ticket, " \n ") == 204
    assert not Draft.objects.exists()


@pytest.mark.parametrize("body", ["x" * 20_001, "nul\0nul"])
def test_what_could_not_be_sent_is_not_kept(client_of, alice, ticket, unchanged, body):
    client = client_of(alice)
    with unchanged():
        assert keep(client, ticket, body) == 400


def test_longest_text_is_kept_with_its_line_breaks(client_of, alice, ticket):
    assert keep(client_of(alice), ticket, "x\r\n" * 10_000) == 204
    assert Draft.objects.get().body == "x\n" * 10_000


@pytest.mark.parametrize("kind", ["", "x", "\0", "note"])
def test_kind_that_is_not_the_readers_is_not_there(client_of, alice, ticket, unchanged, kind):
    client = client_of(alice)
    with unchanged():
        assert keep(client, ticket, kind=kind) == 404


def test_no_kind_at_all_is_not_there(client_of, alice, ticket):
    assert client_of(alice).post(f"/tickets/{ticket.pk}/draft/").status_code == 404


def test_draft_that_arrives_after_the_reply_is_dropped(client_of, alice, ticket):
    client, key = client_of(alice), str(uuid.uuid4())
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Half a sentence", "key": key})
    assert keep(client, ticket, key=key) == 204
    assert not Draft.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "9" * 50, "\0"])
def test_odd_key_does_no_harm(client_of, alice, ticket, key):
    assert keep(client_of(alice), ticket, key=key) == 204


def test_draft_goes_with_its_ticket(client_of, alice, ticket):
    client = client_of(alice)
    keep(client, ticket)
    client.post(f"/tickets/{ticket.pk}/delete/")
    assert not Draft.objects.exists()


def test_draft_tells_nobody_and_changes_no_ticket(client_of, alice, ticket):
    keep(client_of(alice), ticket)
    before = ticket.updated_at
    ticket.refresh_from_db()
    assert ticket.updated_at == before
    assert not Notification.objects.filter(kind="replied").exists()
