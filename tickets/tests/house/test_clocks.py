"""Machines whose clocks differ by ten minutes agree, because they ask the database's (THREATS 141).

Here Python's clock is moved, as on such a machine, and the database's goes its own way.
"""

import threading
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actor import acting_as
from helpdesk import clock
from tickets import jobs
from tickets.actions import conversation, silence
from tickets.actions.conversation import Message
from tickets.mail import alarms, pause
from tickets.mail.receiving import attempts, handler
from tickets.mail.sending import claiming, delivery
from tickets.mail.sending.delivery import deliver_due
from tickets.models import Category, InboundEmail, JobRun, Notification, Ticket
from tickets.notifications import outbox
from tickets.rules.calendar import add_working_days
from tickets.rules.workflow import TAKE_BACK_PERIOD
from tickets.tests.factories import make_ticket
from tickets.tests.real_time import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.two_clocks]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
State = Notification.State


@pytest.fixture(params=[-10, 10], ids=["behind", "ahead"])
def elsewhere(request):
    """`with elsewhere():` what happens on a machine whose clock is wrong."""
    return lambda: time_machine.travel(timedelta(minutes=request.param))


@pytest.fixture
def queue(mailgun, alice):
    return lambda: outbox.enqueue_account_mail(alice, "welcome", address=alice.email)


def test_clock_is_the_databases_and_goes_on_in_a_transaction(elsewhere):
    with transaction.atomic(), elsewhere():
        moments = [clock.now() for _number in range(3)]
        assert abs(timezone.now() - moments[0]) > 9 * MINUTE
    assert moments == sorted(moments)
    assert moments[0].utcoffset() == timedelta()
    assert abs(timezone.now() - clock.now()) < MINUTE


def test_clock_stands_still_in_no_transaction():
    with transaction.atomic():
        first = clock.now()
        wait_until(lambda: clock.now() > first, seconds=5)  # SQLite counts milliseconds


def test_mail_of_a_living_worker_is_taken_by_no_other(queue, mailgun, elsewhere):
    queue()
    assert claiming.claim(clock.now())
    with elsewhere():
        assert deliver_due() == 0
    assert mailgun.requests_seen == 0


def test_lease_is_as_long_wherever_it_began(queue, elsewhere):
    queue()
    with elsewhere():
        letter = delivery._next_mail(lambda: False)
    lease = letter.notifications[0].leased_until - clock.now()
    assert 4 * MINUTE < lease <= claiming.LEASE


def test_mail_is_due_where_it_was_queued_and_elsewhere(queue, elsewhere):
    with elsewhere():
        queue()
    assert deliver_due() == 1
    queue()
    with elsewhere():
        assert deliver_due() == 1


def test_retry_comes_neither_early_nor_late(queue, mailgun, elsewhere):
    queue()
    mailgun.behave = 500
    with elsewhere():
        deliver_due()
    wait = Notification.objects.get().next_try_at - clock.now()
    assert 0.6 * MINUTE < wait < 1.3 * MINUTE
    deliver_due()
    with elsewhere():
        deliver_due()
    assert mailgun.requests_seen == 1


def test_pause_holds_everywhere(queue, mailgun, elsewhere):
    queue()
    mailgun.behave = 401
    with elsewhere():
        deliver_due()
    assert 4 * MINUTE < pause.state().until - clock.now() <= pause.KEY_PAUSE
    deliver_due()
    with elsewhere():
        assert pause.is_on()
        deliver_due()
    assert mailgun.requests_seen == 1


def test_job_runs_once_in_its_interval_everywhere(elsewhere):
    runs = []
    job = jobs.Job("test", 5 * MINUTE, lambda: runs.append(1))
    jobs.run_due((job,))
    with elsewhere():
        jobs.run_due((job,))
    assert runs == [1]
    JobRun.objects.update(due_at=clock.now() - MINUTE)
    with elsewhere():
        jobs.run_due((job,))
    jobs.run_due((job,))
    assert runs == [1, 1]


def test_reply_is_held_until_it_cannot_be_taken_back(mailgun, alice, ann, elsewhere):
    ticket = make_ticket(alice)
    with elsewhere(), acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Please try again"))
    reply = Notification.objects.get(kind="replied")
    assert timedelta() < reply.next_try_at - clock.now() <= TAKE_BACK_PERIOD
    with elsewhere():
        assert deliver_due() == 1  # the receipt


@pytest.fixture
def silent_ticket(alice, ann):
    """Sets times of a ticket that waits for alice."""
    Category.objects.update(remind_after=1, close_after=1)
    ticket = make_ticket(alice, assignee=ann, phase="waiting")
    QuerySet(Ticket).filter(pk=ticket.pk).update(waiting_for="requester")
    return lambda **times: QuerySet(Ticket).filter(pk=ticket.pk).update(**times)


def test_ticket_is_reminded_when_its_time_has_come(silent_ticket, elsewhere):
    limit = add_working_days(clock.now(), -1)
    silent_ticket(silent_since=limit + 5 * MINUTE)
    with elsewhere():
        assert silence.remind() == 0
    silent_ticket(silent_since=limit - 5 * MINUTE)
    with elsewhere():
        assert silence.remind() == 1
    assert abs(Ticket.objects.get().reminded_at - clock.now()) < MINUTE


def test_ticket_is_closed_when_its_time_has_come(silent_ticket, elsewhere):
    now = clock.now()
    silent_ticket(silent_since=now - 30 * DAY, reminded_at=now - 20 * DAY, closes_at=now + 5 * MINUTE)
    with elsewhere():
        assert silence.close() == 0
    silent_ticket(closes_at=now - 5 * MINUTE)
    with elsewhere():
        assert silence.close() == 1


def test_mail_that_is_just_handled_is_not_left_over(elsewhere, monkeypatch):
    handled = []
    monkeypatch.setattr(jobs.handler, "handle", lambda email: handled.append(email.pk))
    with elsewhere():
        email = handler.store(b"From: a@example.org\r\n\r\nHello", provider_id="", route="command")
        jobs.handle_left_over_mail()
    jobs.handle_left_over_mail()
    assert handled == []
    InboundEmail.objects.update(received_at=clock.now() - jobs.LEFT_OVER_AFTER - MINUTE)
    with elsewhere():
        jobs.handle_left_over_mail()
    assert handled == [email.pk]


def test_mail_at_its_last_attempt_is_given_up_by_no_other_machine(elsewhere):
    """Whoever reads it has five minutes, and they are not over where the clock is ahead."""
    email = handler.store(b"From: a@example.org\r\n\r\nHello", provider_id="", route="command")
    InboundEmail.objects.update(attempts=attempts.ATTEMPTS - 1)
    assert attempts.begin(email.pk)[1]
    with elsewhere():
        assert not attempts.begin(email.pk)[1]
        assert not attempts.due().exists()
    assert InboundEmail.objects.get().state == InboundEmail.State.RECEIVED


def test_failed_mail_is_tried_again_neither_early_nor_late(elsewhere):
    email = handler.store(b"From: a@example.org\r\n\r\nHello", provider_id="", route="command")
    with elsewhere():
        attempts.begin(email.pk)
        wait = attempts.failed(email.pk, KeyError("x")).next_try_at - clock.now()
    assert 0.9 * attempts.FIRST_PAUSE < wait <= attempts.FIRST_PAUSE


def test_alarms_are_raised_by_no_clock_that_is_wrong(queue, mailgun, settings, elsewhere):
    settings.INBOUND_SILENCE_HOURS = 1
    InboundEmail.objects.create(
        identity="<1@example.org>", raw=b"x", size=1, route="command", received_at=clock.now() - 55 * MINUTE
    )
    mailgun.behave = 400
    queue()
    JobRun.objects.create(name="test", due_at=clock.now(), started_at=clock.now() - 5 * MINUTE)
    with elsewhere():
        assert alarms.alarms() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("minutes", [-10, 10])
def test_worker_with_another_clock_repeats_no_mail(mailgun, start_worker, queue, minutes):
    """Real processes: one is killed at the provider, so its lease goes on while the other sends the rest."""
    for _number in range(20):
        queue()
    reached, killed = threading.Event(), threading.Event()

    def hold_the_first(mail):
        if not reached.is_set():
            reached.set()
            killed.wait(30)

    mailgun.on_mail = hold_the_first
    first = start_worker("--once")
    assert reached.wait(60)
    first.kill()
    first.wait()
    killed.set()
    assert start_worker("--once", minutes=minutes).wait(120) == 0
    copies = Counter(mail["h:Message-Id"] for mail in mailgun.mails)
    assert (len(copies), set(copies.values())) == (20, {1})
    states = Counter(Notification.objects.values_list("state", flat=True))
    assert states == {State.SENDING: 1, State.SENT: 19}
