"""The requester answers the mail that says done, by two buttons in it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import signing
from django.core.management import call_command
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.mail.sending.delivery import deliver_due
from tickets.mail.writing import tokens
from tickets.models import ActivityLog, Comment, Notification, Ticket
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def ticket(alice, ann):
    ticket = make_ticket(alice, phase="active", assignee=ann)
    with acting_as(ann):
        ticket.close()
    return ticket


@pytest.fixture
def links(ticket, alice) -> tuple[str, str]:
    return tuple(link.removeprefix("http://localhost:8000") for link in answer_links(ticket, alice))


def answer_links(ticket, person) -> tuple[str, str]:
    return tokens.answer_links(ticket.pk, person.pk)


def text(response) -> str:
    return response.content.decode()


# The mail
@pytest.mark.parametrize("how", ["changed", "said", "closing"])
def test_mail_that_says_done_asks_the_requester(mailgun, client, alice, bob, ann, how):
    ticket = make_ticket(alice, phase="active", assignee=ann)
    conversation.watch(ticket, bob)
    deliver_due()
    mailgun.mails.clear()
    if how == "said":
        with acting_as(ann):
            conversation.reply(ticket, Message(author=ann, body="A new cable."), status=status("done"))
    else:
        with acting_as(None if how == "closing" else ann):
            if how == "closing":
                ticket.set_status(status("waiting"))
                ticket.remind()
            Ticket.objects.get(pk=ticket.pk).close()
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        deliver_due()
    mail = [mail for mail in mailgun.mails if mail["to"] == alice.email][-1]
    for words in ("Solved my problem", "Not yet"):
        (link,) = re.findall(rf"^{words}: http://localhost:8000(/tickets/answer/\S+)$", mail["text"], re.M)
        assert f'href="http://localhost:8000{link}"' in mail["html"]
        assert client.get(link).status_code == 200
    assert "Is your problem solved? You can reopen the ticket within 14 days." in mail["text"]
    assert "Is your problem solved? You can reopen the ticket within 14 days." in mail["html"]
    others = [mail for mail in mailgun.mails if mail["to"] != alice.email]
    assert others
    assert all("/answer/" not in mail["text"] + mail["html"] for mail in others)


def test_mail_about_an_open_ticket_asks_nothing(mailgun, alice, ann):
    ticket = make_ticket(alice)
    with acting_as(ann):
        ticket.set_status(status("waiting"))
    deliver_due()
    assert all("/answer/" not in mail["text"] for mail in mailgun.mails)


# Opening a link
@pytest.mark.parametrize("answer", [0, 1])
def test_scanner_changes_nothing(client, links, unchanged, answer):
    with unchanged():
        for method in (client.get, client.head):
            assert method(links[answer]).status_code == 200
    assert "<button" in text(client.get(links[answer]))


@pytest.mark.parametrize("answer", [0, 1])
@pytest.mark.parametrize(
    "change", ["altered", "foreign", "cut", "empty", "expired", "of the other link", "gone"]
)
def test_link_that_does_not_hold_changes_nothing(client, sam, ticket, links, unchanged, answer, change):
    """THREATS 64."""
    *start, token, end, _nothing = links[answer].split("/")
    value, stamp, signature = token.split(":")
    signer = signing.TimestampSigner(salt="tickets.answer")
    bad = {
        "altered": f"{value}:{stamp}:{signature[:-2]}xx",
        "foreign": signer.sign(f"{ticket.pk}.{sam.pk}"),
        "cut": token[:-3],
        "empty": "::",
        "expired": token,
        "of the other link": signing.Signer(salt="tickets.mute").sign(value),
        "gone": signer.sign(f"99999.{sam.pk}"),
    }[change]
    address = "/".join([*start, bad, end, ""])
    later = 14 * DAY + timedelta(seconds=1) if change == "expired" else timedelta()
    with time_machine.travel(timezone.now() + later, tick=False), unchanged():
        for response in (client.get(address), client.post(address, {"body": "No"})):
            assert response.status_code == 404
            assert "This link is no longer valid" in text(response)


@pytest.mark.parametrize("reason", ["other requester", "inactive", "merged"])
def test_link_ends_with_the_right(client, alice, bob, ann, ticket, links, unchanged, reason):
    if reason == "other requester":
        with acting_as(ann):
            Ticket.objects.filter(pk=ticket.pk).change(requester=bob)
    elif reason == "inactive":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    else:
        with acting_as(ann):
            merging.merge(ticket, make_ticket(alice))
    with unchanged():
        for link in links:
            assert client.post(link).status_code == 404


def test_links_hold_until_the_last_day(client, ticket, links):
    with time_machine.travel(timezone.now() + 14 * DAY - timedelta(minutes=1), tick=False):
        assert client.post(links[1], {"body": ""}).status_code == 200
    ticket.refresh_from_db()
    assert not ticket.is_done


# Fixed
def test_fixed_is_recorded_once_and_mails_nobody(client, client_of, alice, ann, ticket, links):
    rows = Notification.objects.count()
    for _time in range(2):
        assert "You confirmed" in text(client.post(links[0]))
    ticket.refresh_from_db()
    assert ticket.is_done
    assert ticket.confirmed_at is not None
    activity = ActivityLog.objects.get(verb="confirmed")
    assert activity.actor == alice
    assert activity.source == "web"
    assert Notification.objects.count() == rows
    assert "You confirmed" in text(client.get(links[0]))
    for page in (ticket.get_absolute_url(), f"/admin/tickets/ticket/{ticket.pk}/change/"):
        assert "Alice Moreau confirmed that it is solved." in text(client_of(ann).get(page))


def test_confirmation_ends_when_it_is_open_again(client, client_of, alice, ann, ticket, links):
    client.post(links[0])
    stale = Ticket.objects.get(pk=ticket.pk)
    client.post(links[1])
    ticket.refresh_from_db()
    assert ticket.confirmed_at is None
    with acting_as(ann):
        stale.set_status(status("done"))
    ticket.refresh_from_db()
    assert ticket.confirmed_at is None
    call_command("verify_activity_log")
    story = text(client_of(alice).get(ticket.get_absolute_url()))
    assert story.count('<li dir="auto">You confirmed that it is solved.') == 1


def test_whoever_is_logged_in_the_link_speaks_for_the_requester(client_of, bob, alice, links):
    client_of(bob).post(links[0])
    assert ActivityLog.objects.get(verb="confirmed").actor == alice


# Not fixed
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("It broke again.\r\nAt noon.", "It broke again.\nAt noon."),
        ("", "This is not fixed."),
        ("  \n ", "This is not fixed."),
        ("Thank you", "Thank you"),
    ],
)
def test_not_fixed_opens_it_with_the_requesters_words(client, alice, ann, ticket, links, typed, said):
    response = client.post(links[1], {"body": typed})
    assert f"Ticket #{ticket.pk} reopened" in text(response)
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert ticket.phase == "active"
    comment = Comment.objects.get()
    assert (comment.author, comment.body, comment.is_public) == (alice, said, True)
    notified = Notification.objects.filter(kind="replied").values_list("person__full_name", flat=True)
    assert set(notified) == {"Ann Weber"}
    assert not ActivityLog.objects.filter(verb="confirmed").exists()


def test_that_it_is_not_fixed_stands_in_the_story_of_one_act(client, client_of, alice, ann, ticket, links):
    client.post(links[1], {"body": "It broke again."})
    answer, reply, status_row = ActivityLog.objects.order_by("pk")[2:5]
    assert [row.verb for row in (answer, reply, status_row)] == ["not_fixed", "replied", "status_changed"]
    assert len({row.batch for row in (answer, reply, status_row)}) == 1
    assert Ticket.objects.get(pk=ticket.pk).not_fixed_at is not None
    for person, name in ((ann, "Alice Moreau"), (alice, "You")):
        story = text(client_of(person).get(ticket.get_absolute_url()))
        assert f"{name} reported that it is not solved." in story
    call_command("verify_activity_log")


def test_sent_twice_it_is_said_once(client, ticket, links):
    for _time in range(2):
        assert f"Ticket #{ticket.pk} reopened" in text(client.post(links[1], {"body": "No."}))
    assert Comment.objects.count() == 1
    assert ActivityLog.objects.filter(verb="not_fixed").count() == 1
    assert f"Ticket #{ticket.pk} reopened" in text(client.post(links[0]))
    assert not ActivityLog.objects.filter(verb="confirmed").exists()


def test_words_reach_a_ticket_that_was_reopened_meanwhile(client, ann, ticket, links):
    client.get(links[1])
    with acting_as(ann):
        ticket.reopen()
        ticket.set_status(status("waiting"))
    for _time in range(2):
        assert f"Ticket #{ticket.pk} reopened" in text(client.post(links[1], {"body": "Still dark."}))
    assert Comment.objects.get().body == "Still dark."
    client.post(links[1], {"body": "And loud."})
    assert list(Comment.objects.order_by("pk").values_list("body", flat=True)) == ["Still dark.", "And loud."]
    ticket.refresh_from_db()
    assert ticket.phase == "active"
    assert not ActivityLog.objects.filter(verb="not_fixed").exists()
    call_command("verify_activity_log")


def test_words_of_a_link_that_ended_are_shown_to_be_copied(client, alice, ann, ticket, links):
    with acting_as(ann):
        merging.merge(ticket, make_ticket(alice))
    content = text(client.post(links[1], {"body": "Still <dark>."}))
    assert ">Still &lt;dark&gt;.</textarea>" in content
    assert "textarea" not in text(client.get(links[1]))


@pytest.mark.parametrize("typed", ["x" * 20_001, "nul\0nul"])
def test_bad_text_is_explained_and_kept(client, links, unchanged, typed):
    with unchanged():
        response = client.post(links[1], {"body": typed})
    assert response.status_code == 200
    assert "What is still not working?" in text(response)
    assert "invalid-feedback" in text(response) or "is-invalid" in text(response)


# Feedback
@pytest.fixture
def feedback_url(ticket, alice) -> str:
    return f"/tickets/answer/{tokens.answer_token(ticket.pk, alice.pk)}/feedback/"


def test_feedback_is_asked_for_after_the_answer(client, links, feedback_url):
    for response in (client.post(links[0]), client.get(links[0])):
        assert "What could we do better?" in text(response)
        assert "/feedback/" in text(response)


def test_only_staff_read_feedback(client, client_of, alice, bob, ann, ticket, links, feedback_url):
    conversation.watch(ticket, bob)
    client.post(links[0])
    public_at, rows = Ticket.objects.get(pk=ticket.pk).public_at, Notification.objects.count()
    for _time in range(2):
        assert "Your feedback was sent to IT." in text(
            client.post(feedback_url, {"body": "Faster, <please>."})
        )
    ticket.refresh_from_db()
    assert (ticket.feedback, ticket.public_at) == ("Faster, <please>.", public_at)
    activity = ActivityLog.objects.get(verb="feedback")
    assert (activity.actor, activity.source) == (alice, "web")
    assert Notification.objects.count() == rows
    for page in (ticket.get_absolute_url(), f"/admin/tickets/ticket/{ticket.pk}/change/"):
        story = text(client_of(ann).get(page))
        assert "Alice Moreau gave feedback: “Faster, &lt;please&gt;.”" in story
    for person in (alice, bob):
        assert "please" not in text(client_of(person).get(ticket.get_absolute_url()))
        assert "No tickets match" in text(client_of(person).get("/tickets/?q=please"))
    call_command("verify_activity_log")


@pytest.mark.parametrize("typed", ["", "  \n"])
def test_empty_feedback_is_no_feedback(client, links, feedback_url, unchanged, typed):
    client.post(links[0])
    with unchanged():
        assert "Thank you" in text(client.post(feedback_url, {"body": typed}))


@pytest.mark.parametrize("typed", ["x" * 2_001, "nul\0nul"])
def test_bad_feedback_is_explained_and_kept(client, links, feedback_url, unchanged, typed):
    client.post(links[0])
    with unchanged():
        assert "invalid-feedback" in text(client.post(feedback_url, {"body": typed}))


def test_feedback_reaches_a_ticket_that_was_reopened_meanwhile(client, ann, ticket, links, feedback_url):
    client.post(links[0])
    with acting_as(ann):
        Ticket.objects.get(pk=ticket.pk).reopen()
    client.post(feedback_url, {"body": "Faster."})
    assert Ticket.objects.get(pk=ticket.pk).feedback == "Faster."


def test_feedback_link_that_does_not_hold_changes_nothing(client, feedback_url, unchanged):
    with unchanged():
        assert client.get(feedback_url).status_code == 405
        assert client.post(feedback_url.replace(":", ":x", 1), {"body": "No"}).status_code == 404


# On the ticket's page
def test_page_of_a_solved_ticket_asks_its_requester(client_of, alice, ticket):
    client = client_of(alice)
    page = text(client.get(ticket.get_absolute_url()))
    assert "Is your problem solved?" in page
    (action,) = re.findall(r'action="(/tickets/answer/\S+/fixed/)"', page)
    page = text(client.post(action, follow=True))
    assert "Thank you. IT knows that your problem is solved." in page
    (action,) = re.findall(r'action="(/tickets/answer/\S+/feedback/)"', page)
    page = text(client.post(action, {"body": "Faster."}, follow=True))
    assert "Thank you for your feedback." in page
    assert "/tickets/answer/" not in page


def test_nobody_else_is_asked_and_nothing_open_or_old(client_of, alice, bob, ann, ticket):
    conversation.watch(ticket, bob)
    for person in (bob, ann):
        assert "/tickets/answer/" not in text(client_of(person).get(ticket.get_absolute_url()))
    Ticket.objects.filter(pk=ticket.pk).update(done_at=timezone.now() - 15 * DAY)
    assert "/tickets/answer/" not in text(client_of(alice).get(ticket.get_absolute_url()))
    assert "/tickets/answer/" not in text(client_of(alice).get(make_ticket(alice).get_absolute_url()))
