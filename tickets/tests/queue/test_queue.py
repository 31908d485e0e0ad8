"""The agents' queue: the own view, the order, what is unread, and live rows."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import ActivityLog, Ticket
from tickets.tests.factories import make_ticket, upload

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


def shown(client, query: str = "") -> list[str]:
    return [ticket.subject for ticket in client.get(LIST + query).context["cl"].result_list]


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


# The own view
@pytest.fixture
def everything(alice, ann, sam):
    """One ticket of each kind, the oldest first."""
    now = timezone.now()
    kinds = {
        "mine": {"assignee": ann},
        "nobody's": {},
        "mine urgent": {"assignee": ann, "priority": "urgent"},
        "sam's": {"assignee": sam},
        "mine done": {"assignee": ann, "phase": "done"},
        "nobody's high": {"priority": "high"},
        "nobody's low": {"priority": "low"},
    }
    for age, (subject, fields) in enumerate(kinds.items()):
        make_ticket(alice, subject=subject, created_at=now - timedelta(days=30 - age), **fields)


def test_queue_opens_with_mine_and_unassigned_most_urgent_and_oldest_first(client_of, ann, everything):
    own = ["mine urgent", "nobody's high", "mine", "nobody's", "nobody's low"]
    assert shown(client_of(ann)) == own


def test_everybodys_is_one_click_away_and_stays(client_of, ann, everything):
    client = client_of(ann)
    content = body(client.get(LIST))
    assert 'href="?who=all"' in content
    assert "sam&#x27;s" in body(client.get(f"{LIST}?who=all"))
    assert shown(client, "?phase=open")[0] == "mine urgent"
    assert "sam's" in shown(client, "?phase=open")


def test_another_filter_keeps_the_own_view(client_of, ann, everything):
    content = body(client_of(ann).get(LIST))
    assert re.search(r'href="\?(who=ours&amp;priority=high|priority=high&amp;who=ours)"', content)
    assert shown(client_of(ann), "?who=ours&priority=high") == ["nobody's high"]


@pytest.mark.parametrize("query", ["?phase=done", "?phase=all"])
def test_what_is_done_shows_the_newest_change_first(client_of, ann, everything, query):
    ticket = Ticket.objects.get(subject="mine done")
    ticket.set_priority("low")
    assert shown(client_of(ann), query)[0] == "mine done"


@pytest.mark.parametrize("phase", ["open", "all"])
def test_period_is_about_the_filing_whatever_the_order(client_of, ann, alice, phase):
    old = make_ticket(alice, subject="old", created_at=timezone.now() - timedelta(days=8))
    old.set_priority("urgent")
    make_ticket(alice, subject="new")
    assert shown(client_of(ann), f"?who=all&phase={phase}&period=week") == ["new"]
    assert set(shown(client_of(ann), f"?who=all&phase={phase}&period=month")) == {"new", "old"}


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("?who=all&o=-8", "nobody's low"),
        ("?who=all&o=8", "mine"),
        ("?who=all&o=8.-2", "mine"),
        ("?who=all&o=2", "mine urgent"),
        ("?who=all&o=x", "mine urgent"),
    ],
)
def test_queue_can_be_sorted_by_age_and_by_nothing_else(client_of, ann, everything, query, first):
    assert shown(client_of(ann), query)[0] == first


# Unread
def unread(client) -> list[str]:
    return [ticket.subject for ticket in client.get(LIST).context["cl"].result_list if ticket.is_unread]


def test_ticket_is_unread_until_its_page_was_seen_and_after_news(client_of, ann, alice, sam):
    ticket = make_ticket(alice, subject="A")
    client = client_of(ann)
    assert unread(client) == ["A"]
    assert 'class="unread"' in body(client.get(LIST))
    client.post(f"{LIST}{ticket.pk}/seen/", {"after": ActivityLog.objects.first().pk})
    assert unread(client) == []
    with acting_as(ann):
        ticket.set_priority("high")
    assert unread(client) == []  # her own act is no news
    with acting_as(sam):
        conversation.note(ticket, Message(author=sam, body="Look"))
    assert unread(client) == ["A"]
    assert unread(client_of(sam)) == ["A"]  # of ann's act, and the filing


def test_reply_with_a_file_is_read_once_its_page_was_seen(client_of, ann, alice):
    ticket = make_ticket(alice)
    client = client_of(ann)
    client_of(alice).post(f"{ticket.get_absolute_url()}reply/", {"body": "See here", "attachments": upload()})
    end = client.get(f"{LIST}{ticket.pk}/change/").context["last_number"]
    client.post(f"{LIST}{ticket.pk}/seen/", {"after": end})
    assert unread(client) == []


def test_queries_do_not_grow_with_the_queue(client_of, alice, ann):
    def count() -> int:
        client = client_of(ann)
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return len(queries)

    for _number in range(2):
        make_ticket(alice, assignee=ann)
    few = count()
    for _number in range(20):
        make_ticket(alice, assignee=ann)
    assert count() == few <= 11


# From the queue, by one key
def test_row_is_taken_and_the_queue_shown_again(client_of, ann, alice):
    ticket = make_ticket(alice)
    response = client_of(ann).post(
        f"{LIST}{ticket.pk}/take/?_changelist_filters=phase%3Dnew", {"to_queue": "1"}
    )
    assert response.url == f"{LIST}?phase=new"
    ticket.refresh_from_db()
    assert ticket.assignee == ann


# Live
def state_of(content: str) -> str:
    return re.search(r'id="live-state" name="state" value="([^"]*)"', content)[1]


def test_unchanged_queue_is_answered_204_by_one_query(client_of, ann, alice, django_assert_max_num_queries):
    make_ticket(alice)
    client = client_of(ann)
    state = state_of(body(client.get(LIST)))
    with django_assert_max_num_queries(4):  # session, user, groups, log
        response = client.get(f"{LIST}news/?phase=new&state={state}")
    assert response.status_code == 204


def test_changed_queue_comes_again_with_the_same_filters(client_of, ann, alice):
    make_ticket(alice, subject="old", priority="high")
    client = client_of(ann)
    state = state_of(body(client.get(f"{LIST}?priority=high")))
    make_ticket(alice, subject="fresh", priority="high")
    make_ticket(alice, subject="other")
    content = body(client.get(f"{LIST}news/?priority=high&state={state}"))
    assert "fresh" in content
    assert ">other<" not in content
    assert state_of(content) != state


@pytest.mark.parametrize("query", ["state=%00", "state=x&phase=nonsense", "password__startswith=a", "p=x"])
def test_odd_question_for_news_breaks_nothing(client_of, ann, alice, query):
    make_ticket(alice)
    assert client_of(ann).get(f"{LIST}news/?{query}").status_code in (200, 302, 400)


def test_own_list_of_a_requester_asks_cheaply_and_sees_replies(
    client_of, alice, ann, django_assert_max_num_queries
):
    ticket = make_ticket(alice)
    client = client_of(alice)
    state = state_of(body(client.get("/tickets/")))
    with django_assert_max_num_queries(4):
        assert client.get(f"/tickets/?state={state}").status_code == 204
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Done"))
    assert state_of(body(client.get(f"/tickets/?state={state}"))) != state


def test_note_changes_nothing_that_a_requester_can_ask(client_of, alice, ann):
    ticket = make_ticket(alice)
    client = client_of(alice)
    state = state_of(body(client.get("/tickets/")))
    with acting_as(ann):
        conversation.note(ticket, Message(author=ann, body="Secret"))
    assert client.get(f"/tickets/?state={state}").status_code == 204


def test_links_of_the_list_forget_the_question_for_news(client_of, alice):
    for number in range(30):
        make_ticket(alice, subject=f"Ticket {number}")
    content = body(client_of(alice).get("/tickets/?state=old&phase=open"))
    assert "state=" not in "".join(re.findall(r'href="([^"]*)"', content))


def test_row_leads_to_its_ticket_and_back_to_the_place_in_the_queue(client_of, ann, alice):
    ticket = make_ticket(alice, assignee=ann)
    content = client_of(ann).get("/admin/tickets/ticket/?who=mine").content.decode()
    url = f"/admin/tickets/ticket/{ticket.pk}/change/?_changelist_filters=who%3Dmine"
    assert content.count(f'href="{url}"') == 1
