"""Silent requesters are reminded after working days, then the ticket closes; any answer stops it."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from accounts.actor import acting_as
from tickets import jobs
from tickets.actions import conversation, silence
from tickets.actions.conversation import Message
from tickets.history import timeline, verification
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog, Category, Notification, Ticket
from tickets.rules.calendar import add_working_days
from tickets.rules.waiting import Wait
from tickets.tests.factories import category, make_ticket, status
from tickets.tests.house.test_races import at_once

pytestmark = pytest.mark.django_db
THURSDAY = datetime(2026, 11, 19, 10, tzinfo=UTC)
BEFORE, REMINDED = "2026-11-24T09:59:00Z", "2026-11-24T10:01:00Z"  # three working days later
BEFORE_END, CLOSED = "2026-11-26T10:00:00Z", "2026-11-26T10:02:00Z"  # two more


@pytest.fixture
def rule():
    other = category()
    other.remind_after, other.close_after = 3, 2
    other.save()
    return other


@pytest.fixture
def ticket(rule, alice, ann):
    with time_machine.travel(THURSDAY, tick=False):
        ticket = make_ticket(alice, phase="active", assignee=ann)
        with acting_as(ann):
            held = {"status": status("waiting"), "wait": Wait("requester")}
            conversation.reply(ticket, Message(author=ann, body="Which printer?"), **held)
        ticket.refresh_from_db()
        return ticket


def at(moment: str) -> tuple[int, int]:
    """What the jobs of one round did: (closed, reminded)."""
    with time_machine.travel(moment, tick=False):
        return silence.close(), silence.remind()


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-19T10:00", 3, "2026-11-24T10:00"),  # over a weekend
        ("2026-11-21T10:00", 1, "2026-11-23T10:00"),  # from a Saturday
        ("2026-11-24T10:00", -3, "2026-11-19T10:00"),
        ("2026-11-23T10:00", 5, "2026-11-30T10:00"),
        ("2026-11-23T10:00", 0, "2026-11-23T10:00"),
    ],
)
def test_working_days_leave_out_weekends(start, days, end):
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert add_working_days(moment, days) == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_working_days_keep_the_clock_over_the_change_of_time(settings):
    """THREATS 122: the last Friday of October to Monday, 10 o'clock both."""
    settings.TIME_ZONE = "Europe/Berlin"
    friday = datetime(2026, 10, 23, 8, tzinfo=UTC)
    assert add_working_days(friday, 1) == datetime(2026, 10, 26, 9, tzinfo=UTC)


def test_reminded_once_and_closed_after_the_announced_day(ticket, alice, ann):
    assert at(BEFORE) == (0, 0)
    assert at(REMINDED) == (0, 1)
    assert at(REMINDED) == (0, 0)
    ticket.refresh_from_db()
    assert ticket.closes_on.isoformat() == "2026-11-26"
    reminder = Notification.objects.get(kind="reminded")
    assert reminder.person == alice
    assert at(BEFORE_END) == (0, 0)
    assert at(CLOSED) == (1, 0)
    ticket.refresh_from_db()
    assert ticket.phase == "done"
    closing = ActivityLog.objects.first()
    assert (closing.verb, closing.actor) == ("status_changed", None)
    addresses = Notification.objects.filter(activity=closing).values_list("address", flat=True)
    assert set(addresses) == {alice.email, ann.email}
    assert at(CLOSED) == (0, 0)


@pytest.mark.parametrize("who", ["alice", "ann", "bob"])
def test_any_human_answer_stops_it(ticket, alice, ann, bob, who):
    conversation.watch(ticket, bob)
    at(REMINDED)
    author = {"alice": alice, "ann": ann, "bob": bob}[who]
    with time_machine.travel("2026-11-25T10:00:00Z", tick=False), acting_as(author):
        conversation.reply(ticket, Message(author=author, body="Please wait a little"))
    assert at(CLOSED) == (0, 0)
    ticket.refresh_from_db()
    assert ticket.phase != "done"


def test_after_an_answer_by_staff_the_days_count_from_new(ticket, ann):
    at(REMINDED)
    with time_machine.travel("2026-11-25T10:00:00Z", tick=False), acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="And which floor?"))
    assert at("2026-11-30T09:59:00Z") == (0, 0)
    assert at("2026-11-30T10:01:00Z") == (0, 1)
    assert at("2026-12-02T10:02:00Z") == (1, 0)


@pytest.mark.parametrize("reason", ["supplier", "date", ""])
def test_nobody_is_reminded_of_what_others_owe_or_of_what_nobody_said(ticket, reason):
    ticket.waiting_for = reason
    ticket.save()
    assert at("2027-01-01T10:00:00Z") == (0, 0)


def test_off_by_default(alice):
    with time_machine.travel(THURSDAY, tick=False):
        make_ticket(alice, phase="waiting", waiting_for="requester")
    assert at("2027-01-01T10:00:00Z") == (0, 0)
    Category.objects.update(remind_after=1, close_after=1)
    assert at("2027-01-01T10:00:00Z") == (0, 1)


def test_without_days_to_close_it_is_reminded_and_stays(ticket, rule):
    rule.close_after = None
    rule.save()
    assert at(REMINDED) == (0, 1)
    assert at("2027-01-01T10:00:00Z") == (0, 0)


def test_one_that_fails_stops_no_other(ticket, alice, monkeypatch):
    with time_machine.travel(THURSDAY, tick=False):
        other = make_ticket(alice, phase="waiting", waiting_for="requester")
    remind = Ticket.remind

    def fail_for_first(self):
        if self.pk == ticket.pk:
            raise RuntimeError("no")
        remind(self)

    monkeypatch.setattr(Ticket, "remind", fail_for_first)
    assert at(REMINDED) == (0, 1)
    other.refresh_from_db()
    assert other.reminded_at is not None


def test_mails_carry_the_words_of_the_category_and_the_day(mailgun, ticket, rule, alice):
    rule.reminder_text = "Dear {requester}, {ticket} needs you before {date}. {nobody} {ticket"
    rule.closing_text = "Closed, {requester}: {subject}"
    rule.save()
    with time_machine.travel(REMINDED, tick=False):
        deliver_due()
        silence.remind()
        deliver_due()
    mail = mailgun.mails[-1]
    assert mail["to"] == alice.email
    for part in (mail["text"], mail["html"]):
        assert f"Dear Alice, #{ticket.pk} needs you before 26 Nov 2026. {{nobody}} {{ticket" in part
        assert "the ticket closes automatically on 26 Nov 2026" in part
    with time_machine.travel(CLOSED, tick=False):
        silence.close()
        deliver_due()
    mail = next(mail for mail in reversed(mailgun.mails) if mail["to"] == alice.email)
    assert f"Closed, Alice: {ticket.subject}" in mail["text"]
    assert "Is your problem solved?" in mail["text"]


def test_words_of_the_category_are_mailed_as_they_were_typed(mailgun, ticket, rule, client_of, sam):
    typed = "\r\n    Phone  204\r\n    Room   {ticket}\r\n\r\n\r\n- bye\r\n"
    url = f"/admin/tickets/category/{rule.pk}/change/"
    client = client_of(sam)
    form = client.get(url).context["adminform"].form
    data = {name: value for name in form.fields if (value := form[name].value())}
    client.post(url, data | {"reminder_text": typed, "closing_text": typed})
    rule.refresh_from_db()
    assert rule.reminder_text == rule.closing_text == "    Phone  204\n    Room   {ticket}\n\n\n- bye"
    for moment, act in ((REMINDED, silence.remind), (CLOSED, silence.close)):
        with time_machine.travel(moment, tick=False):
            act()
            deliver_due()
        mail = next(mail for mail in reversed(mailgun.mails) if mail["to"] == ticket.requester.email)
        assert mail["text"].startswith(f"    Phone  204\n    Room   #{ticket.pk}\n\n\n- bye\n\n")
        assert 'monospace;">&nbsp;&nbsp;&nbsp; Phone&nbsp; 204<br>&nbsp;&nbsp;&nbsp; Room' in mail["html"]


def test_own_words_of_ours_where_the_category_says_nothing(mailgun, ticket):
    with time_machine.travel(REMINDED, tick=False):
        silence.remind()
        deliver_due()
    assert f"We asked you a question about your ticket “{ticket.subject}”" in mailgun.mails[-1]["text"]


@pytest.mark.parametrize("field", ["reminder_text", "closing_text"])
def test_category_refuses_an_unknown_variable_and_names_the_right_one(client_of, sam, rule, field):
    url = f"/admin/tickets/category/{rule.pk}/change/"
    client = client_of(sam)
    form = client.get(url).context["adminform"].form
    data = {name: value for name in form.fields if (value := form[name].value())}
    response = client.post(url, data | {field: "Hello {requestor}"})
    assert "{requestor} does not exist. Did you mean {requester}?" in response.content.decode()
    assert client.post(url, data | {field: "Hello {requester}", "remind_after": "0"}).status_code == 200
    assert client.post(url, data | {field: "Hello {requester}"}).status_code == 302


def test_queries_do_not_grow_while_nothing_is_due(ticket, alice, django_assert_max_num_queries):
    for _number in range(20):
        make_ticket(alice, phase="waiting", waiting_for="requester")
    with django_assert_max_num_queries(4):
        at(BEFORE)


def test_promised_day_counts_even_where_the_figures_change(ticket, rule):
    """The mail named the 26th: neither a shorter figure nor another category closes it sooner."""
    at(REMINDED)
    rule.close_after = 1
    rule.save()
    assert at("2026-11-25T12:00:00Z") == (0, 0)
    assert at(CLOSED) == (1, 0)


def test_what_was_reminded_without_a_day_is_never_closed_unannounced(ticket, rule):
    rule.close_after = None
    rule.save()
    at(REMINDED)
    rule.close_after = 1
    rule.save()
    assert at("2027-01-01T10:00:00Z") == (0, 0)


def test_supervisor_who_takes_the_figure_away_stops_the_closing(ticket, rule):
    at(REMINDED)
    rule.close_after = None
    rule.save()
    assert at("2027-01-01T10:00:00Z") == (0, 0)
    ticket.refresh_from_db()
    assert ticket.closes_on is None


@pytest.mark.parametrize(("moment", "act"), [(REMINDED, silence.remind), (CLOSED, silence.close)])
def test_answer_in_the_same_second_is_not_overtaken(ticket, alice, ann, monkeypatch, moment, act):
    """Ann writes after the worker has listed the ticket and before it has the row."""
    if act is silence.close:
        at(REMINDED)
    numbers = silence._numbers

    def numbers_and_an_answer(due):
        for number in numbers(due):
            conversation.reply(ticket, Message(author=ann, body="Take your time"))
            yield number

    monkeypatch.setattr(silence, "_numbers", numbers_and_an_answer)
    with time_machine.travel(moment, tick=False):
        assert act() == 0
    ticket.refresh_from_db()
    assert ticket.phase == "waiting"


def test_second_reminder_is_one_row_of_the_log_even_without_a_day(ticket, rule, ann):
    at(REMINDED)
    with time_machine.travel("2026-11-25T10:00:00Z", tick=False):
        conversation.reply(ticket, Message(author=ann, body="And which floor?"))
    rule.close_after = None
    rule.save()
    assert at("2026-11-30T10:01:00Z") == (0, 1)
    row = ActivityLog.objects.first()
    assert (row.verb, set(row.changes)) == ("reminded", {"reminded_at", "closes_at"})
    assert list(verification.problems()) == []


def test_timeline_says_who_was_reminded_and_when_it_closes(ticket, alice, ann):
    at(REMINDED)
    row = ActivityLog.objects.first()
    closing = "Without a reply, the ticket closes on 26 Nov 2026."
    expected = ["The helpdesk reminded Alice Moreau.", closing]
    assert timeline.sentences([row], reader=ann) == expected
    assert timeline.sentences([row], reader=alice) == ["The helpdesk reminded you.", closing]
    at(CLOSED)
    row = ActivityLog.objects.first()
    assert timeline.sentences([row], reader=ann) == [
        "The helpdesk changed the status from On Hold to Done.",
        "No one replied to the reminder.",
    ]


def test_only_the_requester_gets_the_reminder_and_the_words_of_the_closing(mailgun, ticket, rule, bob, ann):
    conversation.watch(ticket, bob)
    rule.closing_text = "Goodbye, {requester}, on {date}"
    rule.save()
    with time_machine.travel(REMINDED, tick=False):
        deliver_due()
        mailgun.mails.clear()
        silence.remind()
        deliver_due()
    assert [mail["to"] for mail in mailgun.mails] == ["alice@example.com"]
    mailgun.mails.clear()
    with time_machine.travel(CLOSED, tick=False):
        silence.close()
        deliver_due()
    mails = {mail["to"]: mail["text"] for mail in mailgun.mails}
    assert mails.keys() == {"alice@example.com", bob.email, ann.email}
    assert "Goodbye, Alice, on 26 Nov 2026" in mails["alice@example.com"]
    for other in (bob.email, ann.email):
        assert "Goodbye" not in mails[other]
        assert "No one replied to the reminder." in mails[other]


def test_ticket_that_wakes_after_a_reminder_is_not_reported_as_closed(mailgun, ticket, alice):
    with time_machine.travel(THURSDAY, tick=False):
        ticket.wakes_on = date(2026, 11, 25)
        ticket.save()
    with time_machine.travel(REMINDED, tick=False):
        deliver_due()
        silence.remind()
        deliver_due()
        mailgun.mails.clear()
    with time_machine.travel("2026-11-25T00:01:00Z", tick=False):
        assert silence.wake() == 1
        deliver_due()
    text = next(mail["text"] for mail in mailgun.mails if mail["to"] == alice.email)
    assert "The snooze date was reached." in text
    assert "closed" not in text


def test_jobs_of_the_worker_do_all_of_it_and_quietly_where_nothing_is_due(ticket):
    with time_machine.travel(REMINDED, tick=False):
        jobs.run_due()
    with time_machine.travel(CLOSED, tick=False):
        jobs.run_due()
    ticket.refresh_from_db()
    assert ticket.phase == "done"
    assert ActivityLog.objects.filter(verb="reminded").count() == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"remind_after": "", "close_after": "3"}, "close_after"),
        ({"close_after": "", "reminder_text": "Until {date}"}, "reminder_text"),
        ({"remind_after": "0"}, "remind_after"),
        ({"remind_after": "9" * 30}, "remind_after"),
        ({"close_after": "61"}, "close_after"),
        ({"closing_text": "x\0"}, "closing_text"),
        ({"closing_text": "x" * 2001}, "closing_text"),
    ],
)
def test_category_refuses_what_makes_no_sense_at_its_field(client_of, sam, rule, typed, field):
    url = f"/admin/tickets/category/{rule.pk}/change/"
    client = client_of(sam)
    form = client.get(url).context["adminform"].form
    data = {name: value for name in form.fields if (value := form[name].value())}
    response = client.post(url, data | typed)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors.keys() == {field}


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_remind_once(ticket):
    with time_machine.travel(REMINDED, tick=False):
        assert sum(at_once(4, lambda _number: silence.remind())) == 1
    assert ActivityLog.objects.filter(verb="reminded").count() == 1
