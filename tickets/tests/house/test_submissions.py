"""One key with other words is a new message; the same key with the same content is a repetition (THREATS 36)."""

import uuid

import pytest
from django.test import Client

from accounts.actor import acting_as
from tickets.actions import merging
from tickets.models import Attachment, Comment, Draft, Macro, Notification, Ticket
from tickets.tests.factories import category, make_ticket, upload
from tickets.tests.house.test_races import at_once, client_with_session
from tickets.tests.views.test_ticket_new import form

NEW = "/tickets/new/"


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


OTHER_CONTENT = {
    "subject": {"subject": "Another subject"},
    "description": {"description": "Another story"},
    "priority": {"priority": "high"},
    "files": {"attachments": "a file"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("other", OTHER_CONTENT.values(), ids=OTHER_CONTENT)
def test_form_that_was_changed_and_sent_again_is_a_ticket_of_its_own(client_of, alice, other):
    client, data = client_of(alice), form()

    def send(changed: dict) -> str:
        files = {"attachments": [upload()]} if "attachments" in changed else {}
        return client.post(NEW, data | changed | files).url

    urls = [send(changed) for changed in ({}, other, {}, other)]
    assert urls[:2] == urls[2:]
    assert Ticket.objects.count() == len(set(urls)) == 2
    assert Notification.objects.count() == 2


@pytest.mark.django_db
def test_another_category_is_other_content(client_of, alice):
    client, data = client_of(alice), form()
    client.post(NEW, data)
    client.post(NEW, data | {"category": category("Website Support").pk})
    assert Ticket.objects.count() == 2


@pytest.mark.django_db
def test_repetition_is_known_after_the_ticket_was_edited(client_of, alice, sam):
    client, data = client_of(alice), form(attachments=[upload()])
    client.post(NEW, data)
    with acting_as(sam):
        Ticket.objects.get().set_priority("urgent")
    data["attachments"] = [upload()]
    client.post(NEW, data)
    assert Ticket.objects.count() == Attachment.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["reply", "note"])
@pytest.mark.parametrize("other", [{"body": "Other words"}, {"attachments": "file"}], ids=["words", "files"])
def test_other_words_with_one_key_are_said_too(client_of, ann, ticket, kind, other):
    client, key = client_of(ann), str(uuid.uuid4())

    def say(**changed):
        if changed.get("attachments"):
            changed["attachments"] = [upload()]
        return client.post(f"/tickets/{ticket.pk}/{kind}/", {"body": "Hello", "key": key, **changed}).url

    urls = [say(), say(**other), say(), say(**other)]
    assert urls[:2] == urls[2:]
    assert ticket.comments.count() == len(set(urls)) == 2


@pytest.mark.django_db
def test_reply_and_note_with_one_key_are_two(client_of, ann, ticket):
    client, data = client_of(ann), {"body": "Hello", "key": str(uuid.uuid4())}
    for kind in ("reply", "note"):
        client.post(f"/tickets/{ticket.pk}/{kind}/", data)
    assert sorted(ticket.comments.values_list("is_public", flat=True)) == [False, True]


@pytest.mark.django_db
def test_reply_repeated_after_a_merge_is_said_once(client_of, alice, ann, ticket):
    client, data = client_of(alice), {"body": "Hello", "key": str(uuid.uuid4())}
    with acting_as(ann):
        merging.merge(ticket, make_ticket(alice))
    for _time in range(2):
        client.post(f"/tickets/{ticket.pk}/reply/", data)
    assert Comment.objects.count() == 1


@pytest.mark.django_db
def test_two_macros_of_one_page_are_both_done(client_of, ann, ticket):
    client, key = client_of(ann), str(uuid.uuid4())
    for body in ("First", "Second", "First"):
        macro, _is_new = Macro.objects.get_or_create(title=body, body=body)
        client.post(f"/admin/tickets/ticket/{ticket.pk}/macro/", {"macro": macro.pk, "macro_key": key})
    assert list(ticket.comments.values_list("body", flat=True)) == ["First", "Second"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["new", "reply"])
def test_many_at_once_with_one_key_are_as_many_as_their_contents(alice, ann, place):
    ticket = make_ticket(alice, assignee=ann)
    cookies, key = client_with_session(alice).cookies, str(uuid.uuid4())
    path = NEW if place == "new" else f"/tickets/{ticket.pk}/reply/"
    data = form(submission_key=key, key=key)

    def send(number):
        one = Client()
        one.cookies = cookies
        words = f"Version {number % 3}"
        return one.post(path, data | {"description": words, "body": words}).url

    urls = at_once(12, send)
    assert len(set(urls)) == 3
    assert all(urls[number] == urls[number % 3] for number in range(12))
    assert (Ticket.objects.count() - 1 if place == "new" else Comment.objects.count()) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["new", "reply"])
def test_draft_that_is_saved_while_its_form_is_sent_does_not_come_back(alice, ann, place):
    ticket = make_ticket(alice, assignee=ann)
    cookies, key = client_with_session(alice).cookies, str(uuid.uuid4())
    path = NEW if place == "new" else f"/tickets/{ticket.pk}/reply/"
    draft = "/tickets/drafts/" if place == "new" else f"/tickets/{ticket.pk}/draft/"
    kept = {"kind": "ticket" if place == "new" else "reply", "key": key}

    def act(number):
        one = Client()
        one.cookies = cookies
        if number == 4:
            return one.post(path, form(submission_key=key, key=key, body="All of it")).status_code
        return one.post(draft, {**kept, "body": f"Half {number}"}).status_code

    assert set(at_once(10, act)) == {204, 302}
    assert not Draft.objects.exists()
