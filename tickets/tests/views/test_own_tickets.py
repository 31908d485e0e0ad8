"""The form for a new ticket asks about the person's own open tickets that are similar."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from accounts.actor import acting_as
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.models import Draft, Ticket
from tickets.tests.factories import category, make_ticket, upload

pytestmark = pytest.mark.django_db
NEW, FRAGMENT = "/tickets/new/", "/tickets/new/own-tickets/"
PRINTER = {
    "subject": "Printer on the second floor is jammed",
    "description": "The printer shows a paper jam, but there is no paper inside.",
}
TYPED = {"subject": "The printer is jammed again", "description": "It shows a paper jam."}


@pytest.fixture
def ticket(alice) -> Ticket:
    return make_ticket(alice, **PRINTER)


def fragment(client, **typed) -> str:
    return client.post(FRAGMENT, TYPED | typed).content.decode()


def test_similar_own_open_ticket_is_offered(client_of, alice, ticket):
    make_ticket(alice, subject="Invoice template", description="The logo is missing in QuickBooks.")
    content = fragment(client_of(alice))
    assert "You asked this today:" in content
    assert PRINTER["subject"] in content
    assert f'formaction="/tickets/{ticket.pk}/add/"' in content
    assert "Invoice" not in content


@pytest.mark.parametrize(("days", "words"), [(1, "yesterday:"), (3, "on {:l}:"), (40, "on {:j M Y}:")])
def test_question_says_when_the_person_asked(client_of, alice, ticket, days, words):
    moment = timezone.now() - timedelta(days=days)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=moment)
    kind = words[words.find("{:") + 2 : words.find("}")] if "{" in words else ""
    expected = f"on {date_format(timezone.localtime(moment), kind)}:" if kind else words
    assert f"You asked this {expected}" in fragment(client_of(alice))


def test_tickets_of_others_and_solved_and_merged_ones_are_not_offered(client_of, alice, bob, ann, ticket):
    conversation.watch(ticket, bob)
    assert "own-tickets" not in fragment(client_of(bob))
    assert "own-tickets" not in fragment(client_of(ann))
    with acting_as(ann):
        merging.merge(make_ticket(bob, **PRINTER), ticket)
        ticket.close()
    assert "own-tickets" not in fragment(client_of(alice))


def test_internal_notes_find_nothing(client_of, alice, ann):
    ticket = make_ticket(alice, subject="Odd noise", description="It hums.")
    conversation.note(ticket, Message(author=ann, body="The printer shows a paper jam, jammed again."))
    assert "own-tickets" not in fragment(client_of(alice))


@pytest.mark.parametrize("typed", [{"subject": "", "description": ""}, {"subject": "!", "description": "\0"}])
def test_without_words_nothing_is_asked(client_of, alice, ticket, typed):
    assert fragment(client_of(alice), **typed).strip() == ""


def test_other_words_find_nothing(client_of, alice, ticket):
    typed = {"subject": "Payroll spreadsheet", "description": "My salary slip for May cannot be opened."}
    assert fragment(client_of(alice), **typed).strip() == ""


def test_fragment_takes_few_queries(client_of, alice, django_assert_max_num_queries):
    for _number in range(20):
        make_ticket(alice, **PRINTER)
    client = client_of(alice)
    client.get("/about/")
    with django_assert_max_num_queries(6):  # session, person, role, frequencies, own tickets, their words
        assert fragment(client).count("formaction") == 2


def test_page_opened_from_home_asks_at_once(client_of, alice, ticket):
    content = client_of(alice).get(NEW, {"subject": "Printer jammed second floor"}).content.decode()
    assert f'formaction="/tickets/{ticket.pk}/add/"' in content
    assert 'formaction="/tickets' not in client_of(alice).get(NEW).content.decode()


def test_refused_form_asks_without_a_script(client_of, alice, ticket):
    data = TYPED | {"submission_key": str(uuid.uuid4()), "priority": "normal"}
    content = client_of(alice).post(NEW, data).content.decode()
    assert "Choose a category." in content
    assert f'formaction="/tickets/{ticket.pk}/add/"' in content
    assert Ticket.objects.count() == 1


def test_similar_ticket_does_not_stop_filing(client_of, alice, ticket):
    data = TYPED | {"submission_key": str(uuid.uuid4()), "priority": "normal", "category": category().pk}
    assert client_of(alice).post(NEW, data).status_code == 302
    assert Ticket.objects.count() == 2


def test_what_was_typed_becomes_a_draft_on_the_ticket(client_of, alice, ticket):
    client, key = client_of(alice), uuid.uuid4()
    client.post("/tickets/drafts/", {"kind": "ticket", "body": TYPED["description"], "key": str(key)})
    data = TYPED | {"submission_key": str(key), "attachments": upload()}
    response = client.post(f"/tickets/{ticket.pk}/add/", data, follow=True)
    assert response.redirect_chain == [(f"/tickets/{ticket.pk}/#reply", 302)]
    draft = Draft.objects.get()
    assert (draft.kind, draft.ticket) == ("reply", ticket)
    assert draft.body == "The printer is jammed again\n\nIt shows a paper jam."
    content = response.content.decode()
    assert draft.body in content
    assert "Restored your draft" in content
    assert "Your files were not saved. Choose them again." in content
    assert Ticket.objects.count() == 1


def test_draft_is_cut_to_its_limit(client_of, alice, ticket):
    data = {"subject": "x" * 150, "description": "y" * 20_000}
    client_of(alice).post(f"/tickets/{ticket.pk}/add/", data)
    assert len(Draft.objects.get().body) == Draft.MAX_LENGTH


def test_nothing_is_added_to_the_ticket_of_somebody_else(client_of, alice, bob, ann, ticket, unchanged):
    conversation.watch(ticket, bob)
    clients = [client_of(person) for person in (bob, ann)]
    with unchanged():
        for client in clients:
            assert client.post(f"/tickets/{ticket.pk}/add/", TYPED).status_code == 404
