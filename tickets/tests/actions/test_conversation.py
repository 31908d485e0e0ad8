"""Replies and notes on the site: what is said, what it does to the ticket, what is refused."""

import uuid
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.history import timeline
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog, Attachment, Comment, Draft, Notification, Ticket, TicketLink
from tickets.notifications import audiences
from tickets.rules.validators import MAX_FILES_A_DAY
from tickets.tests.factories import category, make_ticket, status, upload

pytestmark = pytest.mark.django_db
SOON = timedelta(seconds=30)  # replies can't be taken back any more


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


def say(client, ticket, body: str = "It still does not print.", *, kind: str = "reply", **data):
    return client.post(f"/tickets/{ticket.pk}/{kind}/", {"body": body, **data})


def page(response) -> str:
    return response.content.decode()


def notified(kind: str) -> set[str]:
    return set(Notification.objects.filter(kind=kind).values_list("address", flat=True))


# What is said
def test_requester_and_agent_talk(client_of, alice, ann, ticket):
    response = say(client_of(alice), ticket, "First line\n\nSecond line", attachments=[upload("blue.png")])
    comment = ticket.comments.get()
    assert response.url == comment.get_absolute_url()
    assert (comment.author, comment.is_public, comment.source) == (alice, True, "web")
    assert comment.body == "First line\n\nSecond line"
    assert comment.attachments.get().name == "blue.png"
    assert notified("replied") == {"ann@example.com"}
    say(client_of(ann), ticket, "Please restart it.")
    assert notified("replied") == {"ann@example.com", "alice@example.com"}
    for reader in (alice, ann):
        content = page(client_of(reader).get(ticket.get_absolute_url()))
        assert content.index("Second line") < content.index("Please restart it.")
        assert content.index("blue.png") < content.index("Please restart it.")


def test_note_is_read_by_staff_alone(client_of, alice, ann, sam, ticket):
    say(client_of(sam), ticket, "He poured coffee into it", kind="note")
    assert not ticket.comments.get().is_public
    assert "He poured coffee into it" in page(client_of(ann).get(ticket.get_absolute_url()))
    assert "coffee" not in page(client_of(alice).get(ticket.get_absolute_url()))
    assert notified("noted") == {"ann@example.com"}


@pytest.mark.parametrize("kind", ["reply", "note"])
def test_form_that_is_sent_twice_says_it_once(client_of, ann, ticket, kind):
    """THREATS 36."""
    client, key = client_of(ann), uuid.uuid4()
    answers = [say(client, ticket, kind=kind, key=key, attachments=[upload()]) for _time in range(3)]
    assert {answer.url for answer in answers} == {Comment.objects.get().get_absolute_url()}
    assert (Comment.objects.count(), Attachment.objects.count()) == (1, 1)
    assert ActivityLog.objects.filter(verb__in=("replied", "noted")).count() == 1


def test_key_of_another_ticket_swallows_nothing(client_of, alice, ticket):
    other, key = make_ticket(alice), uuid.uuid4()
    for one in (ticket, other):
        assert say(client_of(alice), one, key=key).status_code == 302
    assert [one.comments.count() for one in (ticket, other)] == [1, 1]


@pytest.mark.parametrize("key", ["", "x", "9" * 40])
def test_odd_key_is_no_error_of_the_server(client_of, alice, ticket, key):
    assert say(client_of(alice), ticket, key=key).status_code in (200, 302)


def test_watcher_answers_but_writes_no_note(client_of, bob, ticket, unchanged):
    conversation.watch(ticket, bob)
    say(client_of(bob), ticket, "Mine has it too")
    assert ticket.comments.get().author == bob
    assert notified("replied") == {"alice@example.com", "ann@example.com"}
    client = client_of(bob)
    with unchanged():
        assert say(client, ticket, kind="note").status_code == 404


# What it does to the ticket
def test_first_answer_by_staff_is_the_first_reply(client_of, alice, ann, sam, ticket):
    say(client_of(alice), ticket)
    ticket.refresh_from_db()
    assert ticket.first_replied_at is None
    say(client_of(sam), ticket, kind="note")
    ticket.refresh_from_db()
    assert ticket.first_replied_at is None
    say(client_of(ann), ticket)
    say(client_of(sam), ticket)
    ticket.refresh_from_db()
    assert ticket.first_replied_at == ticket.comments.get(author=ann).created_at


def test_reply_with_a_status_is_one_act_and_one_mail(client_of, alice, ann, ticket, mailgun):
    deliver_due()
    mails = len(mailgun.mails)
    held = {"status": status("waiting").pk, "waiting_for": "requester"}
    say(client_of(ann), ticket, "Which room?", **held)
    ticket.refresh_from_db()
    assert ticket.phase == "waiting"
    entry = timeline.entries_for(ticket, alice)[-1]
    assert entry.comment.body == "Which room?"
    assert entry.sentences[0] == "Ann Weber changed the status from Submitted to On Hold."
    assert entry.sentences[1] == "Waiting for the requester."
    with time_machine.travel(timezone.now() + SOON, tick=False):
        deliver_due()
    assert [mail["to"] for mail in mailgun.mails[mails:]] == ["alice@example.com"]
    for part in ("text", "html"):
        assert "Which room?" in mailgun.mails[-1][part]
        assert "On Hold" in mailgun.mails[-1][part]


@pytest.mark.parametrize("value", ["0", "999999", "9" * 40, "x", "\0"])
def test_status_outside_the_list_is_refused(client_of, ann, ticket, unchanged, value):
    client = client_of(ann)
    with unchanged():
        response = say(client, ticket, "Typed with care", status=value)
    assert response.status_code == 200
    assert "Select a valid choice." in page(response) or "Null characters" in page(response)
    assert "Typed with care" in page(response)


def test_requester_sets_no_status(client_of, alice, ticket):
    say(client_of(alice), ticket, status=status("done").pk)
    ticket.refresh_from_db()
    assert ticket.phase == "new"


def test_status_that_may_not_follow_any_more_does_not_stop_the_reply(ann, ticket):
    ticket.set_status(status("active"))
    conversation.reply(ticket, Message(author=ann, body="Hello"), status=status("new"))
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.comments.count()) == ("active", 1)


@pytest.mark.parametrize(("before", "after"), [("new", "new"), ("active", "active"), ("waiting", "active"),
                                               ("done", "active")])  # fmt: skip
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_answer_wakes_what_waits_and_reopens_what_is_done(client_of, alice, bob, ticket, who, before, after):
    conversation.watch(ticket, bob)
    ticket.set_status(status(before))
    say(client_of({"alice": alice, "bob": bob}[who]), ticket)
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.done_at) == (after, None)


@pytest.mark.parametrize("phase", ["waiting", "done"])
def test_answer_by_staff_or_a_note_leaves_the_status(client_of, ann, ticket, phase):
    ticket.set_status(status(phase))
    say(client_of(ann), ticket)
    say(client_of(ann), ticket, kind="note")
    ticket.refresh_from_db()
    assert ticket.phase == phase


def test_agent_who_asked_is_a_requester_there(client_of, ann, sam):
    ticket = make_ticket(ann, phase="waiting", assignee=sam)
    say(client_of(ann), ticket)
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.first_replied_at) == ("active", None)


def test_after_fourteen_days_it_is_a_new_ticket_that_names_the_old(client_of, alice, ann, ticket):
    ticket.close()
    Ticket.objects.filter(pk=ticket.pk).update(done_at=timezone.now() - timedelta(days=14, minutes=1))
    client, key = client_of(alice), uuid.uuid4()
    assert "Send as new ticket" in page(client.get(ticket.get_absolute_url()))
    response = say(client, ticket, "It is broken again", key=key, attachments=[upload()])
    again = say(client, ticket, "It is broken again", key=key, attachments=[upload()])
    new = Ticket.objects.exclude(pk=ticket.pk).get()
    assert response.url == again.url == new.get_absolute_url()
    assert (new.description, new.phase, new.requester) == ("It is broken again", "new", alice)
    assert new.attachments.count() == 1
    link = TicketLink.objects.get()
    assert (link.ticket, link.target, link.kind) == (new, ticket, "follows")
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.comments.count()) == ("done", 0)
    shown = " ".join(page(client.get(new.get_absolute_url())).split()).replace(" >", ">")
    assert f'follows up on <a href="/tickets/{ticket.pk}/">' in shown
    assert "is followed up by" in page(client.get(ticket.get_absolute_url()))


def test_staff_answer_long_after(client_of, ann, ticket):
    ticket.close()
    Ticket.objects.filter(pk=ticket.pk).update(done_at=timezone.now() - timedelta(days=40))
    say(client_of(ann), ticket)
    assert Ticket.objects.count() == 1
    assert ticket.comments.count() == 1


# Who will be mailed
@pytest.mark.parametrize("kind", ["reply", "note"])
@pytest.mark.parametrize("is_assigned", [True, False])
@pytest.mark.parametrize("is_old", [True, False])
@pytest.mark.parametrize("who", ["alice", "bob", "ann", "sam", "ann-asks"])
def test_who_is_named_is_who_is_mailed(client_of, alice, bob, ann, sam, root, kind, who, is_assigned, is_old):
    topic = category("Other")
    topic.people.set([sam, root])
    ticket = make_ticket(ann if who == "ann-asks" else alice, assignee=ann if is_assigned else None)
    conversation.watch(ticket, bob)
    if is_old:
        ticket.close()
        Ticket.objects.filter(pk=ticket.pk).update(done_at=timezone.now() - timedelta(days=40))
    author = {"alice": alice, "bob": bob, "ann": ann, "sam": sam, "ann-asks": ann}[who]
    if kind == "note" and not author.is_staff:
        return
    client = client_of(author)
    form = client.get(ticket.get_absolute_url()).context[f"{kind}_form"]
    named = {person.email for person in form.recipients}
    before = Notification.objects.count()
    say(client, ticket, kind=kind)
    rows = Notification.objects.order_by("pk")[before:]
    assert {row.address for row in rows} == named


def test_requester_who_is_staff_is_heard_where_nobody_is_assigned(client_of, ann, sam):
    category("Other").people.add(sam)
    say(client_of(ann), make_ticket(ann))
    assert notified("replied") == {"sam@example.com"}


@pytest.mark.parametrize(
    ("watchers", "words"),
    [(0, "Send to Alice"), (1, "Send to Alice and 1 other"), (2, "Send to Alice and 2 others")],
)
def test_button_says_to_whom(client_of, bob, charlie, ann, ticket, watchers, words):
    for person in (bob, charlie)[:watchers]:
        conversation.watch(ticket, person)
    assert f">{words}</button>" in page(client_of(ann).get(ticket.get_absolute_url()))


def test_naming_the_recipients_does_not_ask_for_each(alice, ann, ticket, django_assert_num_queries):
    for person in (alice, ann):
        conversation.watch(ticket, person)
    with django_assert_num_queries(4):  # requester and staff, watchers, who of them works, who was mentioned
        audiences.recipients_of_next("replied", ticket, actor=ann)


# What is refused
@pytest.mark.parametrize("body", ["", "   \n", "\u200b\u2060", "x" * 20_001, "nul\0nul"])
@pytest.mark.parametrize("kind", ["reply", "note"])
def test_bad_text_changes_nothing_and_is_explained(client_of, ann, ticket, unchanged, kind, body):
    client = client_of(ann)
    with unchanged():
        response = say(client, ticket, body, kind=kind)
    assert response.status_code == 200
    assert f'id="error_1_{kind}-body"' in page(response) or f'id="{kind}-body_error"' in page(response)


def test_error_keeps_what_was_typed(client_of, ann, ticket, unchanged):
    client = client_of(ann)
    with unchanged():
        response = say(client, ticket, "Typed with care", attachments=[upload("virus.exe", b"MZ")])
    content = page(response)
    assert "Files of type .exe are not accepted." in content
    assert "Typed with care</textarea>" in content


def test_more_files_than_in_a_day_are_refused_until_tomorrow(client_of, alice, ticket, unchanged):
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    first = ticket.attachments.get()
    for number in range(MAX_FILES_A_DAY - 1):
        first.pk, first.key, first._state.adding = None, f"key{number}", True
        first.save()
    client = client_of(alice)
    with unchanged():
        response = say(client, ticket, "Typed with care", attachments=[upload()])
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Typed with care</textarea>" in page(response)


def test_expired_session_keeps_the_text_behind_the_login(client, alice, ticket):
    client.force_login(alice)
    client.session.flush()
    response = say(client, ticket, "Typed with care", typed_by=alice.pk)
    assert response.url == f"/accounts/login/?next=/tickets/{ticket.pk}/"
    assert Comment.objects.count() == 0
    client.force_login(alice)
    assert "Typed with care</textarea>" in page(client.get(ticket.get_absolute_url()))
    assert Comment.objects.count() == 0
    say(client, ticket, "Typed with care")
    assert "Typed with care</textarea>" not in page(client.get(ticket.get_absolute_url()))


def test_text_of_an_ended_session_is_for_nobody_else_who_may_see_the_ticket(client, bob, alice, ticket):
    conversation.watch(ticket, bob)
    say(client, ticket, "Typed with care", typed_by=alice.pk)
    client.force_login(bob)
    assert "Typed with care" not in page(client.get(ticket.get_absolute_url()))


def test_reply_takes_the_draft_away(client_of, alice, ticket):
    Draft.objects.keep(person=alice, ticket=ticket, kind="reply", body="It still")
    say(client_of(alice), ticket)
    assert not Draft.objects.exists()


# How long it may be
def grow(ticket, *authors, until: int) -> None:
    for number in range(ticket.comments.count(), until):
        author = authors[number % len(authors)]
        with acting_as(author):
            act = conversation.note if author.is_staff and number % 3 == 0 else conversation.reply
            files = [upload()] if number % 10 == 0 else []
            act(ticket, Message(author=author, body=f"Message {number}", files=files))


@pytest.mark.parametrize(("who", "most"), [("alice", 10), ("ann", 12)])
def test_queries_are_the_same_for_two_and_for_two_hundred_messages(
    client_of, alice, bob, charlie, ann, sam, ticket, django_assert_max_num_queries, who, most
):
    ticket.set_status(status("active"))
    conversation.watch(ticket, bob)
    client = client_of({"alice": alice, "ann": ann}[who])
    grow(ticket, alice, sam, until=2)
    client.get(ticket.get_absolute_url())
    with django_assert_max_num_queries(most):
        client.get(ticket.get_absolute_url())
    conversation.watch(ticket, charlie)
    grow(ticket, alice, sam, until=200)
    with django_assert_max_num_queries(most):
        response = client.get(ticket.get_absolute_url())
    assert "Message 199" in page(response)


def test_long_story_begins_folded(client_of, alice, ann, ticket):
    grow(ticket, alice, until=60)
    content = page(client_of(ann).get(ticket.get_absolute_url()))
    assert "46 earlier entries" in content
    assert content.index("Message 44") < content.index("Message 45")
    assert content.count('class="fold"') == 1
