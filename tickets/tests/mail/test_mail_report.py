"""mail_report says what the mail page says, and compares it with Mailgun's list of events."""

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from tickets.mail.sending import event_list
from tickets.mail.sending.delivery import deliver_due
from tickets.models import InboundEmail, Notification, SuppressedAddress
from tickets.notifications import outbox
from tickets.tests import mailgun as api
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def report(*options: str) -> str:
    out = StringIO()
    call_command("mail_report", *options, stdout=out)
    return out.getvalue()


def event(kind: str, row: Notification, **data) -> dict:
    return api.event(kind, row.message_id, recipient=row.address, **data)["event-data"]


@pytest.fixture
def sent(mailgun, alice):
    """sent(3): three mails that left two hours ago; Mailgun has accepted them."""

    def send(count: int) -> list[Notification]:
        for _number in range(count):
            outbox.enqueue_account_mail(alice, "welcome", address=alice.email)
        deliver_due()
        Notification.objects.update(sent_at=timezone.now() - 2 * HOUR)
        rows = list(Notification.objects.order_by("pk"))
        mailgun.events = [event("accepted", row) for row in rows]
        return rows

    return send


# The balance
def test_balance_and_alarms_in_plain_lines(alice):
    make_ticket(alice)
    InboundEmail.objects.create(
        identity="<1@x>", raw=b"x", size=1, route="command", state="ignored", reason="list"
    )
    InboundEmail.objects.create(identity="<2@x>", raw=b"x", size=1, route="command", state="failed")
    lines = report("--days", "1").splitlines()
    today = timezone.localdate()
    assert lines[0] == f"Emails from {today} to {today}."
    assert "Outgoing (0 emails sent): 1" in lines
    assert "  waiting: 1" in lines
    assert "Incoming: 2" in lines
    assert "    It was sent to a mailing list.: 1" in lines
    assert "Alarm: 1 incoming email could not be read. It is kept: try again, or discard it." in lines
    assert not any("Mailgun" in line for line in lines)


@pytest.mark.parametrize("days", ["0", "-1", "367"])
def test_senseless_days_are_refused(days):
    with pytest.raises(CommandError, match="--days"):
        report("--days", days)


def test_nothing_is_repaired_without_a_provider():
    with pytest.raises(CommandError, match="MAILGUN_API_KEY"):
        report("--repair")


# The comparison
def test_all_is_as_mailgun_says(sent, mailgun):
    sent(2)
    text = report()
    assert "Compared 2 rows" in text
    assert "0 sent here, but never accepted by Mailgun." in text
    assert "0 with another state at Mailgun." in text
    asked = mailgun.events_asked[0]
    assert asked.startswith("/v3/mg.example.com/events?begin=")
    assert "limit=300" in asked


def test_mail_that_mailgun_never_accepted_is_named(sent, mailgun):
    rows = sent(3)
    del mailgun.events[1]
    assert f"  {rows[1].pk} to alice@example.com" in report().splitlines()


def test_mail_is_known_by_mailguns_own_id_too(sent, mailgun):
    (row,) = sent(1)
    mailgun.events = [api.event("accepted", row.provider_id)["event-data"]]
    assert "0 sent here, but" in report()


def test_all_pages_are_read(sent, mailgun):
    sent(7)
    mailgun.page_size = 3
    assert "0 sent here, but" in report()
    assert len(mailgun.events_asked) == 4


@pytest.mark.parametrize(
    ("kind", "data", "state"),
    [
        ("delivered", {}, "delivered"),
        ("failed", {"severity": "permanent", "delivery-status": {"message": "No such user"}}, "bounced"),
        ("complained", {}, "complained"),
        ("failed", {"severity": "temporary"}, "sent"),
    ],
)
def test_missed_provider_events_are_named_and_taken_over_when_asked(sent, mailgun, kind, data, state):
    (row,) = sent(1)
    mailgun.events.append(event(kind, row, **data))
    is_news = state != "sent"
    text = report()
    assert (f"{row.pk} to alice@example.com is sent here" in text) == is_news
    row.refresh_from_db()
    assert row.state == "sent"
    assert f"Recorded {int(is_news)} events." in report("--repair")
    row.refresh_from_db()
    assert row.state == state
    assert SuppressedAddress.objects.exists() == (state in ("bounced", "complained"))
    assert "0 with another state at Mailgun." in report()


def test_what_mailgun_may_have_forgotten_or_not_yet_written_is_not_compared(sent, mailgun):
    rows = sent(3)
    with time_machine.travel(timezone.now(), tick=False):
        ages = (26 * HOUR, HOUR / 2 + timedelta(seconds=1), HOUR / 2)
        for row, age in zip(rows, ages, strict=True):
            Notification.objects.filter(pk=row.pk).update(sent_at=timezone.now() - age)
        mailgun.events = []
        text = report()
        assert "Compared 1 rows" in text
        assert f"  {rows[1].pk} to" in text
        # An event of before shows that it still remembers.
        old = api.event("accepted", "<other@mg.example.com>")["event-data"]
        mailgun.events = [{**old, "timestamp": (timezone.now() - 30 * HOUR).timestamp()}]
        assert "Compared 2 rows" in report()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"message": "550 No such user", "description": "Not delivering"}, "550 No such user"),
        ({"message": "", "description": "Not delivering"}, "Not delivering"),
        ({}, "bounce"),
    ],
)
def test_missed_bounce_says_why_as_far_as_mailgun_knows(sent, mailgun, status, words):
    (row,) = sent(1)
    failed = {"severity": "permanent", "reason": "bounce", "delivery-status": status}
    mailgun.events.append(event("failed", row, **failed))
    report("--repair")
    row.refresh_from_db()
    assert (row.state, row.last_error) == ("bounced", words)


def test_odd_events_are_passed_over(sent, mailgun):
    sent(1)
    mailgun.events += [
        {},
        {"event": "delivered"},
        {"event": "delivered", "message": None, "timestamp": "x"},
        [],
        {
            "event": "failed",
            "message": {"headers": {"message-id": "a@b"}},
            "timestamp": 1,
            "delivery-status": ["x"],
        },
    ]
    assert "0 sent here, but" in report()


@pytest.mark.parametrize("status", [401, 402, 403])
def test_key_that_may_not_read_events_is_said(sent, mailgun, status):
    sent(1)
    mailgun.events_behave = status
    assert "the key has no permission to read events" in report()


@pytest.mark.parametrize(
    ("behave", "why"),
    [
        (500, "status 500"),
        (404, "status 404"),
        ("drop", "ConnectionError"),
        (b"<html>", "no JSON"),
        (b"[]", "no list of events"),
        (b'{"items": {"event": "delivered"}}', "no list of events"),
        (b'{"items": [], "paging": ["next"]}', "no list of events"),
    ],
)
def test_mailgun_that_does_not_answer_ends_with_status_1(sent, mailgun, behave, why):
    sent(1)
    mailgun.events_behave = behave
    with pytest.raises(CommandError, match=f"can't be read: .*{why}"):
        report()


def test_key_goes_to_no_other_host(sent, mailgun):
    sent(1)
    mailgun.next_page_at = "http://127.0.0.1:9/v3"
    with pytest.raises(CommandError, match="another host"):
        report()


def test_key_follows_no_redirect(sent, mailgun):
    sent(1)
    with api.MailgunServer() as other:
        mailgun.events_behave, mailgun.next_page_at = 302, other.url
        with pytest.raises(CommandError, match="status 302"):
            report()
        assert other.events_asked == []


def test_list_that_never_ends_is_given_up(sent, mailgun, monkeypatch):
    sent(3)
    mailgun.page_size = 1
    monkeypatch.setattr(event_list, "MOST_PAGES", 2)
    with pytest.raises(CommandError, match="more than 600 events; ask for fewer days"):
        report()
    assert len(mailgun.events_asked) == 2
