"""The recipients of a reply: each can be left out of this one, and only who is named then gets no email."""

import re

import pytest

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.history import timeline, verification
from tickets.models import ActivityLog, Comment, Notification
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


@pytest.fixture
def ticket(alice, bob, ann):
    ticket = make_ticket(alice)
    with acting_as(ann):
        conversation.watch(ticket, bob)
    return ticket


def send(client, ticket, *left_out):
    data = {"body": "Please restart it.", "not_emailed": left_out}
    return client.post(f"{LIST}{ticket.pk}/reply/", data)


def emailed() -> set:
    return {row.person for row in Notification.objects.filter(kind="replied")}


def page(client, ticket) -> str:
    return client.get(f"{LIST}{ticket.pk}/change/").content.decode()


def test_page_names_each_recipient_with_a_box(client_of, ann, alice, bob, ticket):
    shown = page(client_of(ann), ticket)
    assert "Will be emailed to" in shown
    for person in (alice, bob):
        assert f'name="not_emailed" value="{person.pk}"' in shown
    assert "Alice Moreau is the requester and won’t get an email about this reply." in shown


def test_who_is_left_out_gets_no_email_and_reads_it_on_the_page(client_of, ann, alice, bob, ticket):
    client = client_of(ann)
    send(client, ticket, bob.pk)
    assert emailed() == {alice}
    assert "Please restart it." in client_of(bob).get(ticket.get_absolute_url()).content.decode()
    assert list(verification.problems()) == []


def test_only_staff_read_who_was_left_out(client_of, ann, alice, bob, ticket):
    send(client_of(ann), ticket, bob.pk)
    (sentence,) = timeline.entries_for(ticket, ann)[-1].sentences
    assert re.fullmatch(r"Not emailed: \W?Bob Ortiz\W?", sentence)
    assert "Not emailed" in page(client_of(ann), ticket)
    for reader in (alice, bob):
        assert "Not emailed" not in client_of(reader).get(ticket.get_absolute_url()).content.decode()


def test_requester_can_be_left_out(client_of, ann, bob, alice, ticket):
    send(client_of(ann), ticket, alice.pk)
    assert emailed() == {bob}


def test_all_can_be_left_out(client_of, ann, bob, alice, ticket):
    send(client_of(ann), ticket, alice.pk, bob.pk)
    assert emailed() == set()
    assert ActivityLog.objects.get(verb="replied").changes["not_emailed"] == [
        None,
        sorted([alice.pk, bob.pk]),
    ]


def test_nobody_left_out_is_not_logged(client_of, ann, ticket):
    send(client_of(ann), ticket)
    assert "not_emailed" not in ActivityLog.objects.get(verb="replied").changes


@pytest.mark.parametrize("number", ["0", "99999", "-1", "x", "9" * 30, "1; drop"])
def test_unknown_name_is_refused_and_the_text_kept(client_of, ann, ticket, number, unchanged):
    client = client_of(ann)
    with unchanged():
        response = send(client, ticket, number)
    assert "Choose people from the list of recipients." in response.content.decode()
    assert "Please restart it." in response.content.decode()


def test_who_is_no_recipient_any_more_is_not_said_to_be_left_out(client_of, ann, bob, alice, ticket):
    with acting_as(ann):
        conversation.unwatch(ticket, bob)
    send(client_of(ann), ticket, bob.pk)
    assert Comment.objects.get().not_emailed is None
    assert emailed() == {alice}


def test_who_is_added_meanwhile_is_emailed(client_of, ann, bob, alice, charlie, ticket):
    client = client_of(ann)
    page(client, ticket)
    with acting_as(alice):
        conversation.watch(ticket, charlie)
    send(client, ticket, bob.pk)
    assert emailed() == {alice, charlie}


def test_refused_form_remembers_who_is_left_out(client_of, ann, bob, ticket):
    response = client_of(ann).post(f"{LIST}{ticket.pk}/reply/", {"body": " ", "not_emailed": [bob.pk]})
    shown = " ".join(response.content.decode().split())
    assert f'name="not_emailed" value="{bob.pk}" checked>' in shown


def test_requester_leaves_nobody_out(client_of, alice, ann, bob, ticket):
    ticket.assign(ann)
    data = {"body": "It smokes.", "not_emailed": [ann.pk, bob.pk]}
    client_of(alice).post(f"/tickets/{ticket.pk}/reply/", data)
    assert emailed() == {ann, bob}
    assert Comment.objects.get().not_emailed is None
