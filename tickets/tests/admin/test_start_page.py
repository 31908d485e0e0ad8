"""The start page of staff: numbers with their lists, who waits for a reply, who has how much, email."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import InboundEmail, Notification, Status, Ticket
from tickets.reports.overview import in_short
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
URL = "/admin/"
NOW = datetime(2026, 11, 18, 14, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _frozen():
    with time_machine.travel(NOW, tick=False):
        yield


def before(**span):
    return time_machine.travel(NOW - timedelta(**span), tick=False)


def overview_of(client):
    return client.get(URL).context["overview"]


def put_on_hold(ticket: Ticket, **values) -> None:
    ticket.status = Status.objects.filter(phase="waiting").first()
    for name, value in {"waiting_for": "supplier", **values}.items():
        setattr(ticket, name, value)
    ticket.save()


def test_each_number_opens_the_tickets_that_it_counts(client_of, alice, ann):
    with before(hours=20):
        make_ticket(alice)
    with before(hours=1):
        make_ticket(alice, assignee=ann)
        put_on_hold(make_ticket(alice), wakes_on=NOW.date() + timedelta(days=1))
        make_ticket(alice).close()
    client = client_of(ann)
    numbers = overview_of(client).numbers
    found = {number.label: (number.count, number.note) for number in numbers}
    assert found["Unassigned"] == (2, "oldest: 20 h")
    assert found["Assigned to you"] == (1, "")
    assert found["Waiting"] == (1, "1 reopens tomorrow")
    assert found["Created today"] == (3, "usually 0 a day")
    assert found["Solved today"] == (1, "usually 0 a day")
    assert len(numbers) == 6
    content = client.get(URL).content.decode().replace("&amp;", "&")
    for number in numbers:
        assert f'href="{number.url}"' in content
        assert client.get(number.url).context["cl"].result_count == number.count, number.label


def test_tickets_without_a_reply_are_listed_oldest_first(client_of, alice, ann):
    with before(days=3):
        oldest = make_ticket(alice, subject="oldest")
        replied = make_ticket(alice, subject="replied")
        put_on_hold(make_ticket(alice, subject="on hold"))
        make_ticket(alice, subject="solved").close()
    with before(minutes=12):
        newer = make_ticket(alice, subject="newer", assignee=ann)
    with acting_as(ann):
        conversation.reply(replied, Message(author=ann, body="We look at it."))
    rows = overview_of(client_of(ann)).unanswered
    assert [(row.ticket, row.age, row.is_long) for row in rows] == [
        (oldest, "3 days", True),
        (newer, "12 min", False),
    ]


def test_assigning_leads_back_to_the_start_page(client_of, alice, ann):
    ticket = make_ticket(alice, subject="Nobody has this")
    client = client_of(ann)
    content = client.get(URL).content.decode()
    assert "Nobody has this" in content
    (action,) = re.findall(r'action="(/admin/tickets/ticket/\d+/take/)"', content)
    response = client.post(action, {"seen": "", "to_start": "1"}, follow=True)
    assert response.redirect_chain == [(URL, 302)]
    assert f"#{ticket.pk} is now assigned to you." in response.content.decode()
    ticket.refresh_from_db()
    assert ticket.assignee == ann
    assert "/take/" not in response.content.decode()


def test_workload_counts_open_tickets_of_each_assignee(client_of, alice, ann, sam):
    make_ticket(alice, assignee=ann)
    put_on_hold(make_ticket(alice, assignee=ann))
    make_ticket(alice)
    make_ticket(alice, assignee=sam).close()
    rows = {label: bar.total for label, _url, bar, _change in overview_of(client_of(sam)).workload.bar_rows}
    assert rows == {"Ann Weber": 2, "Unassigned": 1}


def test_email_shows_problems_with_a_link(client_of, alice, ann, settings):
    client = client_of(ann)
    assert [line.is_problem for line in overview_of(client).email] == [False]
    settings.INBOUND_DOMAIN = "in.example.com"
    make_ticket(alice)
    Notification.objects.update(state="failed")
    InboundEmail.objects.create(identity="<a@b>", raw=b"x", size=1, received_at=NOW, state="quarantined")
    lines = {line.label: line for line in overview_of(client).email}
    assert lines["Receiving"].note == "Last email: 0 min ago"
    assert lines["1 email in quarantine"].is_problem
    failed = Notification.objects.undelivered().count()
    problem = next(line for label, line in lines.items() if "not delivered" in label)
    assert problem.label.startswith(f"{failed} email")
    content = client.get(URL).content.decode()
    for line in lines.values():
        if line.url:
            assert f'href="{line.url}"' in content
            assert client.get(line.url).status_code == 200


def test_chart_has_the_last_two_weeks(client_of, alice, sam):
    with before(days=13):
        make_ticket(alice)
    with before(days=14):
        make_ticket(alice)
    chart = overview_of(client_of(sam)).chart
    assert (len(chart.trend.points), chart.created, chart.trend.open_before) == (14, 1, 1)
    assert "Show as table" in client_of(sam).get(URL).content.decode()


def test_chart_and_workload_are_for_those_who_may_read_reports(client_of, alice, ann, sam):
    conversation.reply(make_ticket(alice, assignee=sam), Message(author=sam, body="We look at it."))
    response = client_of(ann).get(URL)
    assert (response.context["overview"].chart, response.context["overview"].workload) == (None, None)
    content = response.content.decode()
    assert "Created and solved by day" not in content
    assert "Sam Lindqvist" not in content


def test_queries_do_not_grow_with_tickets(client_of, alice, ann, sam):
    client = client_of(sam)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(URL)
        return len(queries)

    make_ticket(alice, assignee=ann)
    few = count()
    for _number in range(20):
        make_ticket(alice, assignee=ann)
    assert count() == few


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(minutes=60), "1 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(hours=48), "2 days"),
    ],
)
def test_spans_are_said_in_the_largest_unit(span, words):
    assert in_short(span) == words
