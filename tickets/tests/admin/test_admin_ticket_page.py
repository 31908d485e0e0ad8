"""The page of a ticket in the admin: say, note, take, see what is new, who is there, what comes next."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import ActivityLog, Attachment, Comment, Draft, Notification, Visit
from tickets.tests.factories import make_ticket, status, upload

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


@pytest.fixture
def ticket(alice):
    with acting_as(alice):
        return make_ticket(alice)


def page(ticket) -> str:
    return f"{LIST}{ticket.pk}/change/"


def act(ticket, name: str) -> str:
    return f"{LIST}{ticket.pk}/{name}/"


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def said(ticket, author, text: str, *, note: bool = False) -> Comment:
    with acting_as(author):
        return (conversation.note if note else conversation.reply)(ticket, Message(author=author, body=text))


def notified() -> set[tuple[str, str]]:
    return set(Notification.objects.exclude(kind="created").values_list("kind", "address"))


# Reply and note
def test_reply_is_said_from_the_page_and_leads_back_to_it(client_of, ann, alice, ticket):
    response = client_of(ann).post(act(ticket, "reply"), {"body": "Please restart it."})
    comment = Comment.objects.get()
    assert response.url == f"{page(ticket)}#message-{comment.pk}"
    assert (comment.body, comment.is_public, comment.author, comment.source) == (
        "Please restart it.", True, ann, "admin",
    )  # fmt: skip
    assert notified() == {("replied", alice.email)}


def test_reply_with_a_status_is_one_act_and_one_mail(client_of, ann, alice, ticket):
    held = {"status": status("waiting").pk, "waiting_for": "requester"}
    client_of(ann).post(act(ticket, "reply"), {"body": "Which printer?", **held})
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.waiting_for) == ("waiting", "requester")
    rows = ActivityLog.objects.filter(actor=ann)
    assert {row.verb for row in rows} == {"replied", "status_changed"}
    assert len({row.batch for row in rows}) == 1
    assert len(set(Notification.objects.filter(person=alice, activity__in=rows).values_list("batch"))) == 1


def test_note_with_a_file_stays_with_staff(client_of, ann, alice, ticket):
    client = client_of(ann)
    client.post(act(ticket, "note"), {"body": "Budget is gone.", "attachments": [upload("secret.png")]})
    content = body(client.get(page(ticket)))
    assert "Budget is gone." in content
    assert "secret.png" in content
    assert not Notification.objects.filter(person=alice, kind="noted").exists()
    assert "Budget" not in body(client_of(alice).get(ticket.get_absolute_url()))


def test_refused_reply_keeps_what_was_typed_on_the_page(client_of, ann, ticket, unchanged):
    client = client_of(ann)
    with unchanged():
        response = client.post(
            act(ticket, "reply"), {"body": "Look at this", "attachments": [upload("run.exe")]}
        )
    content = body(response)
    assert "Look at this" in content
    assert "Files of type .exe are not accepted." in content
    assert 'id="id_status"' in content  # the whole page, facts too


def test_composer_says_who_is_emailed_by_the_rules_that_email(client_of, ann, bob, ticket):
    conversation.watch(ticket, bob)
    content = body(client_of(ann).get(page(ticket)))
    (recipients,) = re.findall(r"Will be emailed to</legend>(.*?)</fieldset>", content, re.DOTALL)
    assert re.findall(r"<bdi>(.*?)</bdi>", recipients) == ["Alice Moreau", "Bob Ortiz"]
    assert "Add note" in content


def test_reply_is_taken_back_on_the_page(client_of, ann, ticket):
    client = client_of(ann)
    client.post(act(ticket, "reply"), {"body": "Wrong ticket"})
    comment = Comment.objects.get()
    assert "Undo send" in body(client.get(page(ticket)))
    response = client.post(act(ticket, f"take-back/{comment.pk}"))
    assert response.url == f"{page(ticket)}#reply"
    assert not Comment.objects.exists()
    assert Draft.objects.get(person=ann).body == "Wrong ticket"


def test_expired_session_leads_back_to_the_page_with_what_was_typed(client, ann, ticket):
    client.force_login(ann)
    client.session.flush()
    response = client.post(act(ticket, "reply"), {"body": "Typed for an hour", "typed_by": ann.pk})
    assert response.status_code == 302
    assert response.url == f"/accounts/login/?next={quote(page(ticket))}"
    client.force_login(ann)
    assert "Typed for an hour" in body(client.get(page(ticket)))
    assert not Comment.objects.exists()


@pytest.mark.parametrize("name", ["reply", "note", "take", "seen", "reopen"])
def test_requester_gets_nothing_from_the_admins_addresses(client_of, alice, ticket, unchanged, name):
    client = client_of(alice)
    with unchanged():
        response = client.post(act(ticket, name), {"body": "Hello"})
    assert (response.status_code, response.url.split("?")[0]) in {(302, "/admin/login/")}


@pytest.mark.parametrize("name", ["reply", "note", "take", "seen"])
def test_absent_ticket_is_404(client_of, ann, name):
    assert client_of(ann).post(f"{LIST}999/{name}/", {"body": "Hello"}).status_code == 404


# Facts
def test_saved_facts_stay_on_the_page_and_are_one_mail(client_of, ann, alice, ticket):
    client = client_of(ann)
    form = client.get(page(ticket)).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields}
    data |= {"status": status("active").pk, "priority": "high", "assignee": ann.pk}
    response = client.post(page(ticket), data)
    assert response.url == page(ticket)
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.priority, ticket.assignee) == ("active", "high", ann)
    mails = Notification.objects.filter(person=alice).exclude(kind="created")
    assert len(set(mails.values_list("batch"))) == 1


def test_taking_a_ticket_is_one_click(client_of, ann, ticket):
    client = client_of(ann)
    assert ">Assign to me<" in body(client.get(page(ticket)))
    for _twice in range(2):
        client.post(act(ticket, "take"))
    ticket.refresh_from_db()
    assert ticket.assignee == ann
    assert ActivityLog.objects.filter(verb="assigned").count() == 1
    assert ">Assign to me<" not in body(client.get(page(ticket)))


# What is new, who is there
def test_what_changed_since_the_last_visit_stands_on_top(client_of, ann, sam, alice, ticket):
    client = client_of(ann)
    assert "New since your last visit" not in body(client.get(page(ticket)))
    client.post(act(ticket, "seen"), {"after": ActivityLog.objects.first().pk})
    assert "New since your last visit" not in body(client.get(page(ticket)))
    said(ticket, alice, "It got worse")
    said(ticket, sam, "Call the supplier", note=True)
    content = body(client.get(page(ticket)))
    assert "New since your last visit" in content
    assert "Alice Moreau replied" in content
    assert "Sam Lindqvist added an internal note" in content


def test_own_acts_are_no_news(client_of, ann, ticket):
    client = client_of(ann)
    client.post(act(ticket, "seen"), {"after": ActivityLog.objects.first().pk})
    said(ticket, ann, "Done by myself")
    assert "New since your last visit" not in body(client.get(page(ticket)))


def test_ticket_whose_story_ends_with_a_file_is_read_once_it_was_seen(client_of, ann, ticket):
    with acting_as(ticket.requester):
        Attachment.attach([upload()], ticket=ticket, uploader=ticket.requester)
    client = client_of(ann)
    client.post(act(ticket, "seen"), {"after": client.get(page(ticket)).context["last_number"]})
    assert "New since your last visit" not in body(client.get(page(ticket)))
    assert not client.get(LIST).context["cl"].result_list[0].is_unread


def test_seen_never_goes_back_and_never_past_the_story(client_of, ann, ticket):
    client, last = client_of(ann), ActivityLog.objects.first().pk
    for sent in (last, "1", "x", "", "-5", "9" * 40, str(last + 1000)):
        assert client.post(act(ticket, "seen"), {"after": sent}).status_code == 200
    assert Visit.objects.get(person=ann).seen_number == last


def test_who_else_has_it_open_is_shown_and_forgotten(client_of, ann, sam, ticket):
    client_of(sam).post(act(ticket, "seen"), {"after": "1"})
    ann_client = client_of(ann)
    assert "Sam Lindqvist is viewing this ticket." in body(ann_client.post(act(ticket, "seen")))
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        assert "Sam" not in body(ann_client.post(act(ticket, "seen")))


def test_whoever_leaves_is_not_there_any_more(client_of, ann, sam, ticket):
    client = client_of(sam)
    client.post(act(ticket, "seen"), {"after": "1"})
    client.post(act(ticket, "seen"), {"after": "1", "leaving": "yes"})
    assert "Sam" not in body(client_of(ann).post(act(ticket, "seen")))


def type_a_reply(client, ticket, **more):
    return client.post(act(ticket, "seen"), {"after": "1", "typing": "yes", **more})


def typists_shown(client, ticket, shown: str = "") -> str:
    last = ActivityLog.objects.first().pk
    response = client.get(act(ticket, "timeline"), {"after": last, "typists": shown})
    return response.content.decode() if response.status_code == 200 else ""


def test_who_types_a_reply_is_shown_and_only_once(client_of, ann, sam, ticket):
    client = client_of(ann)
    type_a_reply(client_of(sam), ticket)
    assert "Sam Lindqvist is replying…" in typists_shown(client, ticket)
    assert typists_shown(client, ticket, str(sam.pk)) == ""
    assert "Sam Lindqvist is replying…" in body(client.get(page(ticket)))


def test_who_only_has_it_open_or_types_no_more_is_not_replying(client_of, ann, sam, ticket):
    reader, other = client_of(ann), client_of(sam)
    other.post(act(ticket, "seen"), {"after": "1"})
    assert typists_shown(reader, ticket) == ""
    type_a_reply(other, ticket)
    other.post(act(ticket, "seen"), {"after": "1"})
    assert "is replying" in typists_shown(reader, ticket)
    with time_machine.travel(timezone.now() + timedelta(seconds=16), tick=False):
        assert "is replying" not in typists_shown(reader, ticket, str(sam.pk))
        assert "is replying" not in body(reader.get(page(ticket)))


def test_who_leaves_is_not_replying(client_of, ann, sam, ticket):
    other = client_of(sam)
    type_a_reply(other, ticket)
    other.post(act(ticket, "seen"), {"leaving": "yes"})
    assert typists_shown(client_of(ann), ticket) == ""


def test_news_tell_who_types_too(client_of, ann, sam, ticket):
    client, last = client_of(ann), ActivityLog.objects.first().pk
    said(ticket, sam, "Ask the supplier", note=True)
    type_a_reply(client_of(sam), ticket)
    assert "is replying" in body(client.get(act(ticket, "timeline"), {"after": last}))


# Live
def test_unchanged_poll_is_answered_204_by_few_queries(client_of, ann, ticket, django_assert_max_num_queries):
    client, last = client_of(ann), ActivityLog.objects.first().pk
    with django_assert_max_num_queries(6):  # session, user, groups, ticket, log, who types
        response = client.get(act(ticket, "timeline"), {"after": last})
    assert response.status_code == 204


def test_poll_brings_what_is_new_and_the_facts_as_they_are_now(client_of, ann, sam, ticket):
    client, last = client_of(ann), ActivityLog.objects.first().pk
    said(ticket, sam, "Ask the supplier", note=True)
    with acting_as(sam):
        ticket.set_priority("urgent")
    content = body(client.get(act(ticket, "timeline"), {"after": last}))
    assert "Ask the supplier" in content
    assert re.search(r'<option value="urgent" selected>', content)
    assert 'id="summary" data-hx-swap-oob="true"' in content
    assert f'value="{ActivityLog.objects.first().pk}"' in content


# The queue that the person came from
def test_next_and_previous_follow_the_queue_that_the_person_came_from(client_of, ann, alice, bob):
    tickets = [make_ticket(person) for person in (alice, bob, alice, bob)]
    tickets[0].set_priority("high")
    tickets[2].set_priority("high")
    query = f"?_changelist_filters={quote('priority=high&who=unassigned')}"
    content = body(client_of(ann).get(page(tickets[2]) + query))
    neighbours = re.findall(
        r'<a href="/admin/tickets/ticket/(\d+)/change/\?([^"]*)" rel="(prev|next)"', content
    )
    assert {number for number, _query, _rel in neighbours} == {str(tickets[0].pk)}
    assert "_changelist_filters=priority%3Dhigh" in neighbours[0][1]


def test_next_stays_known_when_the_ticket_leaves_the_queue(client_of, ann, alice):
    first, second, third = (make_ticket(alice) for _number in range(3))
    client = client_of(ann)
    content = body(client.get(page(second)))
    action = re.search(r'action="([^"]*reply/\?[^"]*)"', content)[1].replace("&amp;", "&")
    response = client.post(action, {"body": "Solved.", "status": status("done").pk})
    content = body(client.get(response.url))
    neighbours = set(
        re.findall(r'href="/admin/tickets/ticket/(\d+)/change/[^"]*" rel="(?:prev|next)"', content)
    )
    assert neighbours == {str(first.pk), str(third.pk)}


@pytest.mark.parametrize("filters", ["phase=nonsense", "password__startswith=a", "%00", "q=%00", "p=x&o=999"])
def test_queue_that_somebody_made_up_breaks_no_page(client_of, ann, ticket, filters):
    query = f"?_changelist_filters={quote(filters)}&next=abc&previous={'9' * 30}"
    assert client_of(ann).get(page(ticket) + query).status_code == 200


# Cost
@pytest.mark.parametrize("comments", [2, 200])
def test_queries_do_not_grow_with_the_conversation(
    client_of, ann, alice, ticket, comments, django_assert_max_num_queries
):
    for number in range(comments):
        said(ticket, alice if number % 2 else ann, f"Message {number}")
    client = client_of(ann)
    with django_assert_max_num_queries(23):
        client.get(page(ticket))


def test_queries_do_not_grow_with_the_people_who_talk(
    client_of, ann, alice, ticket, django_assert_max_num_queries
):
    for number in range(20):
        said(ticket, make_person(f"Agent{number} Someone", role=Role.AGENT), "Hello")
    client = client_of(ann)
    with django_assert_max_num_queries(23):
        client.get(page(ticket))
