"""Watchers read a ticket and answer publicly on it; the requester and staff choose them."""

import pytest

from accounts.models import User
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog, Notification, Watcher
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


def add(client, ticket, email: str):
    return client.post(f"/tickets/{ticket.pk}/watchers/", {"email": email}, follow=True)


def remove(client, ticket, person):
    return client.post(f"/tickets/{ticket.pk}/watchers/{person.pk}/remove/", follow=True)


def text(response) -> str:
    return response.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize("who", ["alice", "ann"])
def test_requester_and_staff_add_and_remove(client_of, alice, bob, ann, ticket, who):
    client = client_of({"alice": alice, "ann": ann}[who])
    assert "Bob Ortiz now watches this ticket" in text(add(client, ticket, "Bob@Example.com"))
    assert Watcher.objects.get().person == bob
    assert "added Bob Ortiz as a watcher." in text(client.get(ticket.get_absolute_url()))
    remove(client, ticket, bob)
    assert not Watcher.objects.exists()
    verbs = ActivityLog.objects.filter(ticket_id=ticket.pk).oldest_first().values_list("verb", flat=True)
    assert list(verbs)[-2:] == ["watcher_added", "watcher_removed"]


def test_watcher_sees_what_the_requester_sees_and_no_more(client_of, bob, ann, ticket):
    client = client_of(bob)
    assert client.get(ticket.get_absolute_url()).status_code == 404
    conversation.watch(ticket, bob)
    conversation.note(ticket, Message(author=ann, body="Internal words"))
    content = text(client.get(ticket.get_absolute_url()))
    assert ticket.subject in content
    assert "Internal words" not in content
    assert ticket.subject in text(client.get("/tickets/"))
    assert "Mark as solved" not in content


@pytest.mark.parametrize(("part", "phase"), [("edit", "new"), ("delete", "new"), ("close", "new"),
                                             ("reopen", "done")])  # fmt: skip
def test_watcher_only_reads_and_answers(client_of, bob, ticket, unchanged, part, phase):
    conversation.watch(ticket, bob)
    ticket.set_status(status(phase))
    client = client_of(bob)
    with unchanged():
        assert client.post(f"/tickets/{ticket.pk}/{part}/").status_code == 403


def test_watcher_gets_a_mail_for_each_answer(client_of, alice, bob, ann, ticket):
    conversation.watch(ticket, bob)
    for author in (alice, ann):
        conversation.reply(ticket, Message(author=author, body="Hello"))
    conversation.note(ticket, Message(author=ann, body="Internal"))
    rows = Notification.objects.filter(person=bob)
    assert [(row.kind, row.reason) for row in rows.order_by("pk")] == [("replied", "watcher")] * 2


def test_watcher_adds_nobody_and_removes_only_oneself(client_of, bob, charlie, ticket, unchanged):
    conversation.watch(ticket, bob)
    conversation.watch(ticket, charlie)
    client = client_of(bob)
    with unchanged():
        assert add(client, ticket, "ann@example.com").status_code == 403
        assert remove(client, ticket, charlie).status_code == 403
    page = remove(client, ticket, bob)
    assert page.redirect_chain[-1][0] == "/tickets/"
    assert f"You no longer watch #{ticket.pk}." in text(page)
    assert client.get(ticket.get_absolute_url()).status_code == 404


def test_who_stopped_watching_gets_no_mail_that_waits_still(mailgun, bob, ann, ticket):
    from_now = Notification.objects.last().pk
    conversation.watch(ticket, bob)
    conversation.reply(ticket, Message(author=ann, body="Hello"))
    conversation.unwatch(ticket, bob)
    Notification.objects.update(next_try_at=ticket.created_at)
    from_outbox = Notification.objects.filter(pk__gt=from_now, person=bob)
    assert from_outbox.exists()
    deliver_due()
    assert bob.email not in [mail["to"] for mail in mailgun.mails]
    assert from_outbox.get().state == "suppressed"


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("", "Enter a colleague's email address."),
        ("bob", "Enter an email address like name@example.com."),
        ("nobody@example.com", "No one with this address uses the helpdesk yet."),
        ("alice@example.com", "This person is already the requester."),
        ("gone@example.com", "No one with this address uses the helpdesk yet."),
        ("nul\0@example.com", "Null characters are not allowed."),
        ("x" * 400 + "@example.com", "at most 320 characters"),
    ],
)
def test_address_that_does_not_fit_is_explained(client_of, alice, bob, ticket, unchanged, email, words):
    User.objects.create_user(email="gone@example.com", full_name="Gone", is_active=False)
    client = client_of(alice)
    with unchanged():
        response = add(client, ticket, email)
    assert response.status_code == 200
    assert words in text(response)
    if "\0" not in email:
        assert f'value="{email}"' in text(response) or not email


def test_who_tries_many_unknown_addresses_learns_no_more(client_of, alice, bob, ann, ticket, unchanged):
    """THREATS I10: nobody tries out who has an account. Another person still may."""
    client = client_of(alice)
    for number in range(10):
        assert add(client, ticket, f"nobody{number}@example.com").status_code == 200
    with unchanged():
        answers = [add(client, ticket, email) for email in ("nobody@example.com", "bob@example.com")]
    for answer in answers:
        assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
        assert "You tried too many unknown addresses." in text(answer)
    assert "Bob Ortiz now watches this ticket" in text(add(client_of(ann), ticket, "bob@example.com"))


def test_known_colleagues_are_not_counted(client_of, alice, bob, ticket):
    client = client_of(alice)
    for _time in range(12):
        assert add(client, ticket, "bob@example.com").status_code == 200


def test_who_is_nobody_here_is_removed_like_who_watches_not(client_of, alice, bob, ticket, unchanged):
    """I3: the answer does not tell which numbers people have."""
    client, url = client_of(alice), f"/tickets/{ticket.pk}/watchers/"
    with unchanged():
        assert [client.post(f"{url}{number}/remove/").status_code for number in (bob.pk, 999)] == [302] * 2


def test_adding_twice_watches_once(client_of, alice, bob, ticket):
    for _time in range(2):
        add(client_of(alice), ticket, "bob@example.com")
    assert Watcher.objects.count() == 1
    assert ActivityLog.objects.filter(verb="watcher_added").count() == 1


def test_removing_twice_and_odd_numbers_change_nothing(client_of, alice, bob, ticket, unchanged):
    client = client_of(alice)
    with unchanged():
        assert remove(client, ticket, bob).status_code == 200
        for number in ("0", "9" * 18, "9" * 40):
            url = f"/tickets/{ticket.pk}/watchers/{number}/remove/"
            assert client.post(url).status_code in (302, 404)
