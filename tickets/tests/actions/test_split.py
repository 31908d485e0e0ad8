"""A message becomes a ticket of its own, and both say so."""

import pytest

from accounts.actor import acting_as
from accounts.roles import Role
from tickets.actions import conversation, splitting
from tickets.actions.conversation import Message
from tickets.history import verification
from tickets.models import Attachment, Comment, Notification, Ticket, TicketLink
from tickets.models.comment import split_key
from tickets.tests.factories import PNG, category, make_ticket, upload

pytestmark = pytest.mark.django_db


def body(response) -> str:
    return response.content.decode()


def url(comment, ticket=None) -> str:
    return f"/admin/tickets/ticket/{(ticket or comment.ticket).pk}/split/{comment.pk}/"


def say(author, ticket, text="And the mouse is broken too", **kwargs) -> Comment:
    with acting_as(author):
        return conversation.reply(ticket, Message(author=author, body=text, **kwargs))


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No sound", priority="high", category=category("Website Support"))


def test_agent_makes_a_ticket_of_a_message(client_of, ann, bob, ticket):
    conversation.watch(ticket, bob)
    comment = say(bob, ticket, files=[upload("mouse.png")])
    client = client_of(ann)
    page = body(client.get(f"/admin/tickets/ticket/{ticket.pk}/change/"))
    assert url(comment) in page
    content = body(client.get(url(comment)))
    assert "becomes a new ticket for Bob Ortiz" in content
    assert "Will be emailed to Bob Ortiz." in content
    Notification.objects.all().delete()
    response = client.post(url(comment), {"subject": "Broken mouse"})
    new = Ticket.objects.latest("pk")
    assert response.url == f"/admin/tickets/ticket/{new.pk}/change/"
    assert (new.subject, new.description, new.requester) == ("Broken mouse", comment.body, bob)
    assert (new.category, new.priority, new.phase, new.source) == (ticket.category, "high", "new", "admin")
    assert TicketLink.objects.get(ticket=new).target == ticket
    old, copy = Attachment.objects.order_by("pk")
    assert (copy.ticket, copy.name, copy.sha256) == (new, "mouse.png", old.sha256)
    assert copy.key != old.key
    with copy.file.open() as content:
        assert content.read() == PNG
    assert Notification.objects.get().person == bob
    assert list(verification.problems()) == []


def test_requester_cannot_take_the_key_of_a_split_beforehand(client_of, ann, alice, ticket):
    """I1: whoever sends a message knows its key, and so what its split would be called."""
    comment = say(alice, ticket)
    fields = {"subject": "Mine", "description": "Mine", "category": ticket.category_id, "priority": "low"}
    client_of(alice).post("/tickets/new/", {**fields, "submission_key": str(split_key(comment.key))})
    assert client_of(ann).post(url(comment), {"subject": "Broken mouse"}).status_code == 302
    assert Ticket.objects.filter(subject="Broken mouse", requester=alice).count() == 1


def test_both_tickets_say_so_on_both_pages(client_of, ann, alice, ticket):
    comment = say(alice, ticket)
    client_of(ann).post(url(comment), {"subject": "Broken mouse"})
    new = Ticket.objects.latest("pk")
    for client, address in (
        (client_of(alice), "/tickets/{}/"),
        (client_of(ann), "/admin/tickets/ticket/{}/change/"),
    ):
        content = body(client.get(address.format(ticket.pk)))
        assert "This message was split into a new ticket:" in content
        assert comment.body in content
        assert f'href="{address.format(new.pk)}"' in content
        content = body(client.get(address.format(new.pk)))
        assert "was split from" in content
        assert f'href="{address.format(ticket.pk)}"' in content


def test_who_may_not_know_the_new_ticket_reads_nothing_of_it(client_of, ann, alice, bob, ticket):
    conversation.watch(ticket, bob)
    client_of(ann).post(url(say(bob, ticket)), {"subject": "Broken mouse"})
    assert "Broken mouse" not in body(client_of(alice).get(f"/tickets/{ticket.pk}/"))


@pytest.mark.parametrize("how", ["deactivated", "demoted"])
@pytest.mark.parametrize("who", ["agent", "watcher"])
def test_words_of_who_left_become_a_ticket_of_the_requester(alice, ann, bob, sam, ticket, who, how):
    """A ticket of somebody who will not come would be nobody's."""
    author = {"agent": sam, "watcher": bob}[who]
    if who == "watcher":
        conversation.watch(ticket, bob)
    comment = say(author, ticket)
    if how == "deactivated":
        author.is_active = False
        author.save()
    else:
        author.set_role(Role.REQUESTER)
    comment = Comment.objects.get(pk=comment.pk)
    with acting_as(ann):
        new = splitting.split(comment, subject="Broken mouse", by=ann)
    is_still_here = (who, how) == ("watcher", "demoted")  # who was a requester all along
    assert new.requester == (bob if is_still_here else alice)


def test_words_of_who_watches_no_more_become_a_ticket_of_the_requester(alice, ann, bob, ticket):
    conversation.watch(ticket, bob)
    comment = say(bob, ticket)
    conversation.unwatch(ticket, bob)
    with acting_as(ann):
        assert splitting.split(comment, subject="Broken mouse", by=ann).requester == alice


def test_words_of_staff_become_a_ticket_of_the_requester(client_of, ann, alice, ticket):
    client_of(ann).post(url(say(ann, ticket)), {"subject": "Broken mouse"})
    assert Ticket.objects.latest("pk").requester == alice


def test_split_twice_is_one_ticket(client_of, ann, alice, ticket):
    comment, client = say(alice, ticket), client_of(ann)
    answers = [client.post(url(comment), {"subject": "Broken mouse"}).url for _time in range(2)]
    assert len(set(answers)) == 1
    assert Ticket.objects.count() == 2
    assert client.get(url(comment)).url == answers[0]


def test_internal_note_is_not_split(client_of, ann, ticket, unchanged):
    """It would show the note to the requester."""
    with acting_as(ann):
        note = conversation.note(ticket, Message(author=ann, body="He never reads the manual"))
    client = client_of(ann)
    with unchanged():
        assert client.get(url(note)).status_code == 404
        assert client.post(url(note), {"subject": "x"}).status_code == 404


def test_message_of_another_ticket_is_not_there(client_of, ann, alice, ticket):
    comment = say(alice, make_ticket(alice))
    assert client_of(ann).get(url(comment, ticket)).status_code == 404


@pytest.mark.parametrize("subject", ["", " ", "\0", "two\nlines", "x" * 151])
def test_odd_subject_is_refused_at_its_field(client_of, ann, alice, ticket, unchanged, subject):
    comment, client = say(alice, ticket), client_of(ann)
    with unchanged():
        response = client.post(url(comment), {"subject": subject})
    assert response.status_code == 200
    assert "errorlist" in body(response)


def test_lost_file_is_reported(client_of, ann, alice, ticket, attachments_dir, unchanged):
    comment, client = say(alice, ticket, files=[upload()]), client_of(ann)
    attachments_dir.joinpath(comment.attachments.get().file.name).unlink()
    with unchanged():
        content = body(client.post(url(comment), {"subject": "Broken mouse"}))
    assert "A file of this message can&#x27;t be read right now. Try again later." in content
    assert "Broken mouse" in content
