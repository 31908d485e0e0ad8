"""Who watched as staff and works no more reads nothing and is told nothing (teams-and-levels.md 1.2, THREATS 144)."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.history import verification
from tickets.history.live import list_state
from tickets.mail.addresses import reply_address
from tickets.mail.sending import delivery
from tickets.models import MailPreferences, Notification, Ticket, Watcher
from tickets.notifications import audiences
from tickets.notifications.directory import OneTicketDirectory
from tickets.tests.factories import make_ticket, upload
from tickets.tests.mail.test_inbound import came_in, raw

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def ticket(alice, kim):
    """Of alice, with a file; kim, an agent, watches it."""
    ticket = make_ticket(alice)
    with acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="The salaries are wrong", files=[upload()]))
        conversation.watch(ticket, kim)
    return ticket


def demoted(person) -> User:
    """As the next request has the person."""
    person.set_role(Role.REQUESTER)
    return User.objects.get(pk=person.pk)


def answer(ticket, author) -> set[str]:
    """Who is told of an answer."""
    Notification.objects.all().delete()
    with acting_as(author):
        conversation.reply(ticket, Message(author=author, body="They are right again"))
    return {row.person.full_name for row in Notification.objects.select_related("person")}


def test_staff_who_watch_are_notified(ann, ticket):
    assert answer(ticket, ann) == {"Alice Moreau", "Kim Sato"}


def test_who_works_no_more_is_not_notified(ann, kim, ticket):
    kim = demoted(kim)
    assert answer(ticket, ann) == {"Alice Moreau"}
    here = OneTicketDirectory(ticket, ann)
    assert kim not in audiences.recipients_of_next("replied", ticket, actor=ann, directory=here)
    facts = audiences.Facts(ticket.pk, ticket.requester_id, None, ticket.category_id)
    (many,) = audiences.recipients_of_many("replied", [facts], actor=ann)
    assert {person.full_name for person in many} == {"Alice Moreau"}


def test_mail_that_waits_is_kept_back(mailgun, ann, kim, ticket):
    answer(ticket, ann)
    demoted(kim)
    Notification.objects.update(next_try_at=ticket.created_at)
    delivery.deliver_due()
    assert [mail["to"] for mail in mailgun.mails] == ["alice@example.com"]


def test_who_works_no_more_sees_nothing_of_it(client_of, kim, ticket):
    kim = demoted(kim)
    client, file = client_of(kim), ticket.attachments.get()
    for url in (
        f"/tickets/{ticket.pk}/",
        f"/tickets/{ticket.pk}/timeline/",
        f"/tickets/attachments/{file.key}/",
    ):
        assert client.get(url).status_code == 404
    assert client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Hm"}).status_code == 404
    for url in ("/tickets/", "/tickets/?q=salaries", f"/tickets/?q={ticket.pk}", "/"):
        assert ticket.subject not in client.get(url, follow=True).content.decode()
    state = list_state(kim)
    assert len(state.parts) == 1
    assert not Ticket.objects.visible_to(kim).exists()


def test_watching_goes_on_for_who_works_again(client_of, ann, kim, ticket):
    demoted(kim).set_role(Role.SUPERVISOR)
    assert answer(ticket, ann) == {"Alice Moreau", "Kim Sato"}


def test_who_is_added_again_watches_like_any_colleague(client_of, alice, ann, kim, ticket):
    kim = demoted(kim)
    client_of(alice).post(f"/tickets/{ticket.pk}/watchers/", {"email": kim.email})
    assert answer(ticket, ann) == {"Alice Moreau", "Kim Sato"}
    assert client_of(kim).get(f"/tickets/{ticket.pk}/").status_code == 200
    assert Watcher.objects.count() == 1
    assert list(verification.problems()) == []


def test_colleague_who_watches_goes_on_through_a_time_as_staff(ann, bob, ticket):
    conversation.watch(ticket, bob)
    bob.set_role(Role.AGENT)
    bob = demoted(bob)
    assert "Bob Ortiz" in answer(ticket, ann)
    assert Ticket.objects.visible_to(bob).get() == ticket


def test_merge_opens_the_other_ticket_to_nobody_who_left(alice, ann, kim, ticket):
    kim, target = demoted(kim), make_ticket(alice, subject="Another printer")
    assert merging.new_watchers(ticket, target) == []
    with acting_as(ann):
        merging.merge(ticket, target)
    assert not Ticket.objects.visible_to(kim).exists()
    assert answer(target, ann) == {"Alice Moreau"}
    with acting_as(ann):
        merging.undo(Ticket.objects.get(pk=ticket.pk))
    assert not Ticket.objects.visible_to(kim).exists()
    assert list(verification.problems()) == []


def test_showing_it_costs_no_further_query(ann, bob, kim, ticket):
    conversation.watch(ticket, bob)
    with CaptureQueriesContext(connection) as of_staff:
        audiences.recipients_of_next("replied", ticket, actor=ann)
    demoted(kim)
    with CaptureQueriesContext(connection) as of_former:
        audiences.recipients_of_next("replied", ticket, actor=ann)
    assert len(of_former) == len(of_staff)


def test_migration_marks_those_with_a_role_of_staff(bob, sam, root, kim, ticket):
    migration = import_module("tickets.migrations.0122_staff_watch_as_staff")
    for person in (bob, sam, root):
        conversation.watch(ticket, person)
    User.objects.filter(pk=sam.pk).update(is_active=False)
    Watcher.objects.update(as_staff=False)
    migration.mark(apps, None)
    marked = Watcher.objects.filter(as_staff=True).values_list("person__full_name", flat=True)
    assert set(marked) == {"Sam Lindqvist", "Root Admin", "Kim Sato"}


def test_daily_mail_leaves_it_out(mailgun, ann, bob, kim, ticket):
    MailPreferences.objects.create(person=kim, answers=MailPreferences.Wish.DIGEST)
    own = make_ticket(kim, subject="My own keyboard")
    answer(ticket, ann)
    with acting_as(ann):
        conversation.reply(own, Message(author=ann, body="A new one is on its way"))
    demoted(kim)
    Notification.objects.update(next_try_at=ticket.created_at)
    delivery.deliver_due()
    (mail,) = (mail for mail in mailgun.mails if mail["to"] == kim.email)
    assert "My own keyboard" in mail["text"]
    assert ticket.subject not in mail["text"]


def test_answer_by_mail_is_held(alice, kim, ticket, settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"
    demoted(kim)
    passed = "Authentication-Results: mx.example.net; dmarc=pass header.from=example.com"
    mail = came_in(raw(sender=kim.email, to=reply_address(ticket.pk, kim.pk), headers=(passed,)))
    assert (mail.state, mail.reason) == ("quarantined", "wrong_sender")
    assert ticket.comments.count() == 1
