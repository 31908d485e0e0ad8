"""Deleting a person: complete where nothing would lose its author, else refused in words (THREATS 120)."""

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import IntegrityError, models
from django.db.models import ProtectedError

from accounts import deletion
from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import (
    ActivityLog,
    Attachment,
    BlockedSender,
    Draft,
    Handover,
    Macro,
    MailPreferences,
    MutedTicket,
    Notification,
    SavedReply,
    SavedView,
    Visit,
    Watcher,
)
from tickets.tests.factories import category, held_mail, make_ticket, upload

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def eve(roles):
    """Somebody who has done nothing yet."""
    return make_person("Eve Novak", role=Role.AGENT)


def body(response) -> str:
    """The page on one line: tags may stand on several."""
    assert response.status_code == 200
    return " ".join(response.content.decode().split()).replace(" >", ">")


def delete(client, *people):
    """Presses the button of the page that asks whether one is sure."""
    if len(people) == 1:
        return client.post(f"{PEOPLE}{people[0].pk}/delete/", {"post": "yes"}, follow=True)
    chosen = [person.pk for person in people]
    data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    return client.post(PEOPLE, data, follow=True)


def set_default_assignee(person, ticket):
    other = category("Email Support")
    other.default_assignee = person
    other.save()


def change_priority(person, ticket):
    with acting_as(person):
        ticket.set_priority("urgent")


RECORDS = {
    "tickets": lambda person, ticket: make_ticket(person),
    "tickets, taken": lambda person, ticket: ticket.assign(person),
    "replies and internal notes": lambda person, ticket: conversation.note(
        ticket, Message(author=person, body="Hello")
    ),
    "files": lambda person, ticket: Attachment.attach([upload()], ticket=ticket, uploader=person),
    "categories with this default assignee": set_default_assignee,
    "entries of the activity log": change_priority,
    "changes in the admin": lambda person, ticket: LogEntry.objects.create(
        user=person, action_flag=2, object_repr="Other"
    ),
    "decisions about incoming email": lambda person, ticket: (
        type(mail := held_mail()).objects.filter(pk=mail.pk).update(handled_by=person)
    ),
    "handovers": lambda person, ticket: Handover.objects.create(person=person, tickets=1),
    "handovers, asked for": lambda person, ticket: Handover.objects.create(
        person=ticket.requester, asked_by=person
    ),
    "blocked senders": lambda person, ticket: BlockedSender.objects.create(
        address="spam@vendor.example", blocked_by=person
    ),
    "saved replies": lambda person, ticket: SavedReply.objects.create(owner=person, title="A", body="A"),
    "macros": lambda person, ticket: Macro.objects.create(owner=person, title="A", body="A"),
    "saved views": lambda person, ticket: SavedView.objects.create(owner=person, name="A"),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_person_with_records_is_kept_and_can_be_deactivated_instead(
    client_of, root, alice, eve, unchanged, kind
):
    RECORDS[kind](eve, make_ticket(alice))
    client = client_of(root)
    for act in (
        lambda: client.get(f"{PEOPLE}{eve.pk}/delete/"),
        lambda: delete(client, eve),
        lambda: delete(
            client, eve, make_person("Zoe New", email=f"{kind[:3]}{User.objects.count()}@x.example")
        ),
    ):
        content = body(act())
        words = f"<strong>Eve Novak</strong> can’t be deleted, because these records belong to this person: {kind.partition(', ')[0]}"
        assert words in content
        assert (
            f'<a class="button" href="{PEOPLE}{eve.pk}/change/#id_is_active">Deactivate instead</a>'
            in content
        )
        assert "protected" not in content
        assert "You can’t undo this." not in content
    assert User.objects.filter(pk=eve.pk).exists()


def test_page_of_somebody_deactivated_offers_nothing_more(client_of, root, eve):
    make_ticket(eve)
    User.objects.filter(pk=eve.pk).update(is_active=False)
    content = body(client_of(root).get(f"{PEOPLE}{eve.pk}/delete/"))
    assert "deactivated already" in content
    assert "Deactivate instead" not in content


def test_many_with_records_are_all_named(client_of, root, alice, bob, eve):
    for person in (alice, bob):
        make_ticket(person)
    content = body(delete(client_of(root), alice, bob, eve))
    assert "Alice Moreau</strong> can’t be deleted" in content
    assert "Bob Ortiz</strong> can’t be deleted" in content
    assert "Eve Novak" not in content
    assert User.objects.filter(pk=eve.pk).exists()


@pytest.mark.parametrize("others", [0, 1])
def test_person_without_records_is_deleted_with_all_that_is_only_his(
    client_of, root, alice, ann, eve, others
):
    ticket = make_ticket(alice, category=category("Email Support"))
    ticket.category.people.add(eve)
    with acting_as(ann):
        conversation.watch(ticket, eve)
        conversation.note(ticket, Message(author=ann, body="Eve is mailed of this."))
    mails = Notification.objects.filter(address=eve.email)
    assert mails.exists()
    Draft.objects.keep(person=eve, ticket=ticket, kind="reply", body="Hello")
    Visit.objects.record(person=eve, ticket=ticket, number=1)
    MutedTicket.objects.create(ticket=ticket, person=eve)
    MailPreferences.objects.create(person=eve)
    client = client_of(root)
    people = [eve, *(make_person(f"Zoe{number} New") for number in range(others))]
    if not others:
        assert "You can’t undo this." in body(client.get(f"{PEOPLE}{eve.pk}/delete/"))
    body(delete(client, *people))
    assert not User.objects.filter(pk__in=[person.pk for person in people]).exists()
    for model in (Draft, Visit, Watcher, MutedTicket, MailPreferences):
        assert not model.objects.exists(), model
    assert mails.exists()
    assert ActivityLog.objects.filter(verb="watcher_removed", actor=root).exists()
    assert client.get(ticket.get_absolute_url()).status_code == 200
    assert client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").status_code == 200


def test_nobody_deletes_himself(client_of, root):
    client = client_of(root)
    assert client.get(f"{PEOPLE}{root.pk}/delete/").status_code == 403
    delete(client, root, make_person("Zoe New"))
    assert User.objects.filter(pk=root.pk).exists()


@pytest.mark.parametrize("error", [ProtectedError("x", set()), IntegrityError("x")])
@pytest.mark.parametrize("are_many", [False, True])
def test_record_that_comes_in_at_the_last_moment_is_no_error(
    client_of, root, eve, monkeypatch, are_many, error
):
    def fail(*args, **kwargs):
        raise error

    owner = type(User.objects.all()) if are_many else User
    monkeypatch.setattr(owner, "delete", fail)
    people = [eve, make_person("Zoe New")] if are_many else [eve]
    content = body(delete(client_of(root), *people))
    assert ("No one was deleted" in content) == are_many
    assert User.objects.filter(pk=eve.pk).exists()
    assert not LogEntry.objects.exists()


def test_record_of_a_kind_that_nobody_names_keeps_the_person(client_of, root, alice, monkeypatch):
    make_ticket(alice)
    monkeypatch.setattr(deletion.records_asked, "receivers", [])
    deletion.records_asked.sender_receivers_cache.clear()
    content = body(client_of(root).get(f"{PEOPLE}{alice.pk}/delete/"))
    deletion.records_asked.sender_receivers_cache.clear()
    assert "belong to this person: other records." in content


def test_every_relation_to_a_person_says_what_becomes_of_it():
    """Refused, deleted along, or emptied. What does nothing would dangle: the log alone may, by its own rule."""
    dangling = {
        (model.__name__, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey)
        and field.related_model is get_user_model()
        and field.remote_field.on_delete is models.DO_NOTHING
    }
    assert dangling == {("ActivityLog", "actor")}
