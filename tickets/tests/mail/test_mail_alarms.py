"""What is wrong with mail is said in the admin, by /readyz and once in the log (THREATS 82)."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from tickets.mail import alarms, pause
from tickets.mail.sending.delivery import deliver_due
from tickets.models import InboundEmail, JobRun, Notification, RaisedAlarm
from tickets.notifications import outbox
from tickets.tests.factories import make_ticket
from tickets.tests.house.test_races import at_once

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def queue(clock, mailgun, alice):
    """Puts a mail into the outbox."""
    return lambda: outbox.enqueue_account_mail(alice, "welcome", address=alice.email)


def says(words: str) -> bool:
    return any(words in alarm for alarm in alarms.alarms())


def came_in(**fields) -> None:
    values = {"identity": "<1@example.org>", "raw": b"x", "size": 1, "route": "command", **fields}
    InboundEmail.objects.create(**values)


def test_all_is_well_at_first(settings):
    settings.INBOUND_SILENCE_HOURS = 0
    assert alarms.alarms() == []


def test_old_outbox(clock, queue):
    queue()
    clock.shift(9 * MINUTE)
    assert not says("ten minutes")
    clock.shift(2 * MINUTE)
    assert says("ten minutes")
    deliver_due()
    assert alarms.alarms() == []


def test_refused_key_until_it_is_taken(clock, queue, mailgun, client):
    mailgun.behave = 401
    queue()
    deliver_due()
    assert says("refuses us")
    assert client.get("/readyz").json()["mail"] == "refused"
    clock.shift(5 * MINUTE + timedelta(seconds=1))
    assert says("refuses us")
    deliver_due()
    assert says("refuses us")
    mailgun.behave = 200
    clock.shift(7 * MINUTE)
    deliver_due()
    assert not says("refuses us")
    assert client.get("/readyz").json()["mail"] == "ok"


def test_jobs_that_nobody_runs(clock, queue, settings, client):
    run = JobRun.objects.create(name="log_mail_alarms", due_at=timezone.now(), started_at=timezone.now())
    JobRun.objects.create(name="new", due_at=timezone.now())
    clock.shift(9 * MINUTE)
    assert not says("timed jobs")
    assert client.get("/readyz").json()["jobs"] == "ok"
    clock.shift(2 * MINUTE)
    assert says("No worker has run the timed jobs")
    assert client.get("/readyz").json()["jobs"] == "late"
    settings.HAS_MAIL_PROVIDER = False
    assert not says("timed jobs")
    settings.HAS_MAIL_PROVIDER = True
    run.started_at = timezone.now()
    run.save()
    assert not says("timed jobs")


def test_jobs_that_nobody_ever_ran_are_the_outboxs_alarm(clock, queue):
    queue()
    clock.shift(11 * MINUTE)
    assert says("ten minutes")
    assert not says("timed jobs")


def test_throttling_is_no_refusal(queue, mailgun):
    mailgun.behave = 429
    queue()
    deliver_due()
    assert pause.is_on()
    assert not says("refuses us")


@pytest.mark.parametrize("behave", [400, 500])
def test_silence_though_mail_should_have_left(clock, queue, mailgun, behave):
    queue()
    deliver_due()
    mailgun.behave = behave
    clock.shift(23 * HOUR)
    queue()
    deliver_due()
    assert not says("24 hours")
    clock.shift(2 * HOUR)
    assert says("No email has been sent for 24 hours")


def test_silence_because_there_was_nothing_to_send(clock, queue, settings):
    queue()
    deliver_due()
    clock.shift(3 * DAY)
    assert alarms.alarms() == []
    queue()
    Notification.objects.filter(state="waiting").update(next_try_at=timezone.now() + DAY)
    clock.shift(HOUR)
    assert alarms.alarms() == []  # a daily mail waits for its hour


def test_silence_may_be_switched_off(clock, queue, mailgun, settings):
    settings.MAIL_SILENCE_HOURS = 0
    mailgun.behave = 400
    queue()
    deliver_due()
    clock.shift(DAY)
    assert alarms.alarms() == []


def test_nothing_comes_in(clock, settings):
    settings.INBOUND_SILENCE_HOURS = 12
    came_in(state="filed")
    clock.shift(11 * HOUR)
    assert alarms.alarms() == []
    clock.shift(2 * HOUR)
    assert says("No email has been received for 12 hours")


def test_mail_that_could_not_be_read():
    came_in(state="failed", reason="error", attempts=3)
    assert says("1 incoming email could not be read")


def test_alarms_stand_on_the_start_page_and_above_the_mails(client_of, ann, alice):
    client = client_of(ann)
    assert "Email needs attention" not in client.get("/admin/").content.decode()
    came_in(state="failed")
    for url in ("/admin/", "/admin/mail/"):
        content = client.get(url).content.decode()
        assert "Email needs attention" in content
        assert "could not be read" in content


def test_alarm_is_logged_once_when_it_begins(caplog):
    def logged() -> int:
        alarms.log_new()
        return len([record for record in caplog.records if record.levelname == "ERROR"])

    assert logged() == 0
    came_in(state="failed")
    assert logged() == 1
    came_in(state="failed", identity="<2@example.org>")
    assert logged() == 1
    InboundEmail.objects.update(state="filed")
    assert logged() == 1
    InboundEmail.objects.update(state="failed")
    assert logged() == 2


@pytest.mark.django_db(transaction=True)
def test_alarm_is_logged_once_by_many_at_once_and_with_an_empty_cache(caplog):
    came_in(state="failed")
    at_once(4, lambda _number: alarms.log_new())
    cache.clear()
    alarms.log_new()
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
    assert RaisedAlarm.objects.get().name == "unread"


def test_number_of_queries_does_not_grow(alice, django_assert_max_num_queries):
    for number in range(20):
        make_ticket(alice)
        came_in(state="failed", identity=f"<{number}@example.org>")
    with django_assert_max_num_queries(8):
        alarms.alarms()
