"""Without a provider no worker runs: the process that acts prints the email itself, after its commit."""

import threading
from datetime import UTC, datetime, time

import pytest
import time_machine
from django.db import DatabaseError

from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail.sending import delivery, waking
from tickets.models import MailPreferences, Notification
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
State = Notification.State
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class StartedTimer:
    started: list[tuple] = []

    def __init__(self, seconds, function):
        self.seconds, self.function, self.daemon = seconds, function, False

    def start(self):
        self.started.append((self.seconds, self.function, self.daemon))


@pytest.fixture(autouse=True)
def timers(monkeypatch, settings) -> list[tuple]:
    """What each started timer was told: (seconds, function, whether it may die with the process)."""
    settings.HAS_MAIL_PROVIDER = False
    monkeypatch.setattr(StartedTimer, "started", [])
    monkeypatch.setattr(waking.threading, "Timer", StartedTimer)
    return StartedTimer.started


def test_email_is_printed_after_the_commit(alice, mailoutbox, timers, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        make_ticket(alice)
        assert mailoutbox == []
    assert [mail.to for mail in mailoutbox] == [[alice.email]]
    assert Notification.objects.get().state == State.SENT
    assert timers == []


def test_with_a_provider_the_worker_sends_it(alice, settings, mailoutbox, django_capture_on_commit_callbacks):
    settings.HAS_MAIL_PROVIDER = True
    with django_capture_on_commit_callbacks(execute=True):
        make_ticket(alice)
    assert mailoutbox == []
    assert Notification.objects.get().state == State.WAITING


def test_reply_is_printed_when_it_can_be_undone_no_more(
    alice, ann, mailoutbox, timers, django_capture_on_commit_callbacks
):
    """A tenth of a second later, so that the row is due whatever the clocks round."""
    ticket = make_ticket(alice)
    Notification.objects.all().delete()
    with time_machine.travel(NOON, tick=False), django_capture_on_commit_callbacks(execute=True):
        conversation.reply(ticket, Message(author=ann, body="Restart it."))
    assert mailoutbox == []
    assert timers == [(20.1, waking._deliver_in_thread, True)]


def test_email_for_later_is_printed_with_the_next(
    alice, bob, ann, mailoutbox, timers, django_capture_on_commit_callbacks
):
    """The quiet hours may end when no process of the helpdesk runs."""
    MailPreferences.objects.create(person=alice, quiet_from=time(11), quiet_until=time(14))
    with time_machine.travel(NOON, tick=False) as clock:
        with django_capture_on_commit_callbacks(execute=True):
            make_ticket(alice)
        assert (mailoutbox, timers) == ([], [])
        clock.move_to(NOON.replace(hour=14))
        with django_capture_on_commit_callbacks(execute=True):
            make_ticket(bob)
    assert {mail.to[0] for mail in mailoutbox} == {alice.email, bob.email}


def test_failed_email_starts_from_the_beginning_when_it_is_sent_again(
    alice, settings, django_capture_on_commit_callbacks
):
    settings.HAS_MAIL_PROVIDER = True
    make_ticket(alice)
    Notification.objects.update(state=State.FAILED, attempts=9, last_error="500")
    with time_machine.travel(NOON, tick=False):
        assert waking.send_again(Notification.objects.all()) == 1
    row = Notification.objects.get()
    assert (row.state, row.attempts, row.next_try_at, row.last_error) == (State.WAITING, 0, NOON, "")
    settings.HAS_MAIL_PROVIDER = False
    Notification.objects.update(state=State.FAILED)
    with django_capture_on_commit_callbacks(execute=True):
        waking.send_again(Notification.objects.all())
    assert Notification.objects.get().state == State.SENT


def test_email_that_can_not_be_printed_now_ends_no_thread_with_an_error(monkeypatch, caplog):
    def fail():
        raise DatabaseError("the database is away")

    monkeypatch.setattr(delivery, "deliver_due", fail)
    thread = threading.Thread(target=waking._deliver_in_thread)
    thread.start()
    thread.join()
    assert "Mail could not be printed now; it waits for the next." in caplog.messages
