"""The composer on a ticket's page: ways to send, what opens afterwards, and details that are saved alone."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import ActivityLog, Comment, Draft, Notification
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"
ALONE = {"HTTP_X_SAVES_DETAILS": "yes"}


@pytest.fixture
def ticket(alice):
    with acting_as(alice):
        return make_ticket(alice)


def page(ticket) -> str:
    return f"{LIST}{ticket.pk}/change/"


def send(client, ticket, **data):
    return client.post(f"{LIST}{ticket.pk}/reply/", {"body": "Please restart it.", **data})


def content(response, code: int = 200) -> str:
    assert response.status_code == code
    return response.content.decode()


# Ways to send
def test_send_and_mark_as_solved_is_one_act_and_one_email(client_of, ann, alice, ticket):
    send(client_of(ann), ticket, then="solved")
    ticket.refresh_from_db()
    assert ticket.is_done
    rows = ActivityLog.objects.filter(actor=ann)
    assert {row.verb for row in rows} == {"replied", "status_changed"}
    assert len({row.batch for row in rows}) == 1
    assert len(set(Notification.objects.filter(person=alice, activity__in=rows).values_list("batch"))) == 1


def test_send_and_wait_says_what_the_ticket_waits_for(client_of, ann, ticket):
    send(client_of(ann), ticket, then="waiting")
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.waiting_for) == ("waiting", "requester")


@pytest.mark.parametrize("then", ["", "nonsense", "\0", "solved2"])
def test_unknown_way_sends_alone(client_of, ann, ticket, then):
    send(client_of(ann), ticket, then=then)
    ticket.refresh_from_db()
    assert not ticket.is_done
    assert Comment.objects.get().body == "Please restart it."


def test_done_ticket_is_not_offered_to_be_solved_again(client_of, ann, ticket):
    client = client_of(ann)
    assert 'value="solved"' in content(client.get(page(ticket)))
    with acting_as(ann):
        ticket.close()
    shown = content(client.get(page(ticket)))
    assert 'value="solved"' not in shown
    assert 'value="waiting"' in shown
    send(client, ticket, then="solved")
    ticket.refresh_from_db()
    assert ticket.is_done


def test_agent_has_no_ways_on_the_own_ticket(client_of, ann):
    own = make_ticket(ann)
    client = client_of(ann)
    assert 'name="then"' not in content(client.get(page(own)))
    send(client, own, then="solved")
    own.refresh_from_db()
    assert not own.is_done


def test_status_has_one_control_and_the_choice_is_part_of_the_button(client_of, ann, ticket):
    shown = content(client_of(ann).get(page(ticket)))
    assert shown.count('name="status"') == 1
    assert re.findall(r'name="then" value="(\w+)"', shown) == ["solved", "waiting"]


# Reply or note
@pytest.mark.parametrize(("kind", "opened"), [("reply", "reply"), ("note", "note")])
def test_composer_opens_with_what_was_begun(client_of, ann, ticket, kind, opened):
    Draft.objects.keep(person=ann, ticket=ticket, kind=kind, body="Begun")
    shown = content(client_of(ann).get(page(ticket)))
    assert re.findall(r'id="mode-(\w+)"[^>]*checked', shown) == [opened]


def test_refused_note_is_shown_and_not_the_reply(client_of, ann, ticket, unchanged):
    client = client_of(ann)
    with unchanged():
        response = client.post(f"{LIST}{ticket.pk}/note/", {"body": " "})
    assert re.findall(r'id="mode-(\w+)"[^>]*checked', content(response)) == ["note"]


# What opens afterwards
def test_after_a_reply_the_same_ticket_stays_unless_the_person_prefers_the_next(client_of, ann, alice):
    first, second, third = (make_ticket(alice) for _number in range(3))
    client = client_of(ann)
    assert send(client, second, asks_next="yes").url.startswith(page(second))
    response = send(client, second, asks_next="yes", opens_next="yes", body="And again")
    assert response.url.split("?")[0] in {page(first), page(third)}
    ann.refresh_from_db()
    assert ann.opens_next


def test_preference_is_remembered_and_can_be_changed(client_of, ann, ticket):
    User.objects.filter(pk=ann.pk).update(opens_next=True)
    client = client_of(ann)
    assert re.search(r'name="opens_next"[^>]* checked', content(client.get(page(ticket))))
    send(client, ticket, asks_next="yes")
    ann.refresh_from_db()
    assert not ann.opens_next
    assert not re.search(r'name="opens_next"[^>]* checked', content(client.get(page(ticket))))


def test_last_ticket_of_the_queue_leads_back_to_the_queue(client_of, ann, ticket):
    User.objects.filter(pk=ann.pk).update(opens_next=True)
    query = "?_changelist_filters=priority%3Dnormal"
    response = client_of(ann).post(f"{LIST}{ticket.pk}/reply/{query}", {"body": "Done."})
    assert response.url == f"{LIST}?priority=normal"


def test_reply_is_taken_back_from_the_next_page(client_of, ann, alice):
    tickets = [make_ticket(alice) for _number in range(2)]
    User.objects.filter(pk=ann.pk).update(opens_next=True)
    client = client_of(ann)
    replied = max(tickets, key=lambda one: one.pk)
    response = send(client, replied)
    shown = content(client.get(response.url))
    assert f">#{replied.pk}</a> is sent." in shown
    url = re.search(r'form="undo-send"\s+formaction="([^"]*)"', shown)[1].replace("&amp;", "&")
    assert client.post(url).url.endswith("#reply")
    assert not Comment.objects.exists()
    assert Draft.objects.get(person=ann, ticket=replied).body == "Please restart it."


def test_reply_that_became_a_new_ticket_leads_to_it(client_of, ann):
    with time_machine.travel(timezone.now() - timedelta(days=20), tick=False):
        own = make_ticket(ann)
        own.close()
    User.objects.filter(pk=ann.pk).update(opens_next=True)
    response = send(client_of(ann), own)
    assert re.fullmatch(rf"{LIST}(?!{own.pk}/)\d+/change/.*", response.url)


# The place in the queue
def test_page_says_the_place_in_the_queue(client_of, ann, alice):
    tickets = [make_ticket(alice) for _number in range(3)]
    client = client_of(ann)
    places = {re.search(r"(\d) of 3", content(client.get(page(ticket))))[1] for ticket in tickets}
    assert places == {"1", "2", "3"}


def test_place_is_counted_up_to_a_hundred(client_of, ann, alice, monkeypatch):
    monkeypatch.setattr("tickets.admin.ticket.neighbours.MOST_COUNTED", 2)
    tickets = [make_ticket(alice) for _number in range(4)]
    client = client_of(ann)
    shown = [content(client.get(page(ticket))) for ticket in tickets]
    assert sorted(found for text in shown for found in re.findall(r"\d of 2\+", text)) == [
        "1 of 2+",
        "2 of 2+",
    ]


# Details that are saved alone
def details(client, ticket, **changes) -> dict:
    form = client.get(page(ticket)).context["adminform"].form
    return {name: form[name].value() or "" for name in form.fields} | changes


def test_changed_detail_is_saved_and_answered_with_the_fields_alone(client_of, ann, ticket):
    client = client_of(ann)
    response = client.post(page(ticket), details(client, ticket, priority="high"), **ALONE)
    shown = content(response)
    assert shown.strip().startswith('<div id="facts-fields">')
    assert '<option value="high" selected>' in shown
    ticket.refresh_from_db()
    assert ticket.priority == "high"
    assert f'name="version" value="{ticket.version}"' in shown
    assert [row.verb for row in ActivityLog.objects.filter(actor=ann)] == ["edited"]


def test_two_details_are_saved_one_after_the_other(client_of, ann, ticket):
    client = client_of(ann)
    data = details(client, ticket, priority="high")
    version = re.search(r'name="version" value="(\d+)"', content(client.post(page(ticket), data, **ALONE)))[1]
    data |= {"version": version, "assignee": ann.pk}
    content(client.post(page(ticket), data, **ALONE))
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.assignee) == ("high", ann)


def test_refused_detail_says_why_and_changes_nothing(client_of, ann, ticket, unchanged):
    client = client_of(ann)
    data = details(client, ticket, status=status("waiting").pk)
    with unchanged():
        shown = content(client.post(page(ticket), data, **ALONE), 422)
    assert "Choose what the ticket is waiting for." in shown
    assert "<html" not in shown


def test_detail_that_somebody_else_changed_is_a_conflict(client_of, ann, sam, ticket):
    client = client_of(ann)
    data = details(client, ticket, priority="high")
    with acting_as(sam):
        ticket.set_priority("urgent")
    assert client.post(page(ticket), data, **ALONE).status_code == 409
    ticket.refresh_from_db()
    assert ticket.priority == "urgent"


def test_details_of_a_requester_are_not_saved_alone(client_of, alice, ticket, unchanged):
    client = client_of(alice)
    with unchanged():
        response = client.post(page(ticket), {"priority": "high"}, **ALONE)
    assert response.url.startswith("/admin/login/")


def test_internal_note_reaches_no_requester_from_the_composer(client_of, ann, alice, ticket):
    with acting_as(ann):
        conversation.note(ticket, Message(author=ann, body="Budget is gone"))
    assert "Budget" not in content(client_of(alice).get(ticket.get_absolute_url()))
