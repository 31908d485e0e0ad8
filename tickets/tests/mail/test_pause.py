"""The outbox pauses where the provider does not answer, and one mail tries when it ends (THREATS 81, 82, 140)."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from tickets.mail import alarms, pause
from tickets.mail.sending import delivery
from tickets.mail.sending.delivery import deliver_due
from tickets.models import Notification, OutboxPause
from tickets.notifications import outbox
from tickets.tests.house.test_races import at_once

pytestmark = pytest.mark.django_db
State, Reason = Notification.State, OutboxPause.Reason
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NOBODY_LISTENS = "http://127.0.0.1:9/v3"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def impatient(mailgun, settings, monkeypatch):
    """0.2 and 2 seconds instead of 7 and 10."""
    settings.ANYMAIL = {**settings.ANYMAIL, "REQUESTS_TIMEOUT": (3, 0.2)}
    monkeypatch.setattr(delivery, "SEND_SECONDS", 2)


@pytest.fixture
def queue(mailgun, alice):
    def queue(count: int) -> None:
        for _number in range(count):
            outbox.enqueue_account_mail(alice, "welcome", address=alice.email)

    return queue


def left(state: State = State.WAITING) -> int:
    return Notification.objects.filter(state=state).count()


def says(words: str) -> bool:
    return any(words in alarm for alarm in alarms.alarms())


@pytest.mark.parametrize("behave", ["hang", "drop", "lose"])
def test_three_without_an_answer_pause_the_outbox(impatient, clock, queue, mailgun, client, behave, caplog):
    queue(10)
    mailgun.behave = behave
    assert deliver_due() == 0
    assert mailgun.requests_seen == pause.MOST_UNANSWERED == 3
    assert deliver_due() == 0
    assert mailgun.requests_seen == 3
    assert says("does not respond")
    assert client.get("/readyz").json()["mail"] == "silent"
    assert "did not answer 3 times in a row" in caplog.text
    attempts = Notification.objects.order_by("pk").values_list("attempts", flat=True)
    assert list(attempts) == [1, 1, 1, *[0] * 7]


def test_provider_that_answers_byte_by_byte_does_not_answer(impatient, clock, queue, mailgun, settings):
    settings.ANYMAIL = {**settings.ANYMAIL, "REQUESTS_TIMEOUT": (3, 7)}
    queue(4)
    mailgun.behave = "drip"
    deliver_due()
    assert (mailgun.requests_seen, pause.reason()) == (3, Reason.SILENT)


def test_provider_that_cannot_be_reached_does_not_answer(clock, queue, mailgun, settings):
    settings.ANYMAIL = {**settings.ANYMAIL, "MAILGUN_API_URL": NOBODY_LISTENS}
    queue(10)
    deliver_due()
    assert pause.reason() == Reason.SILENT
    assert Notification.objects.filter(attempts=1).count() == 3


@pytest.mark.parametrize("between", [200, 400, 500])
def test_only_those_in_a_row_count(clock, queue, mailgun, between):
    for behave in ("drop", "drop", between, "drop", "drop"):
        queue(1)
        mailgun.behave = behave
        deliver_due()
        clock.shift(SECOND)
    assert not pause.is_on()
    queue(1)
    deliver_due()
    assert pause.is_on()


def test_each_pause_ends_with_one_mail_that_tries(clock, queue, mailgun, client):
    queue(10)
    mailgun.behave = "drop"
    deliver_due()
    for trial in range(1, 4):
        clock.shift(pause.SILENT_PAUSE - SECOND)
        deliver_due()
        assert mailgun.requests_seen == 3 + trial - 1
        clock.shift(SECOND)
        assert says("does not respond")
        deliver_due()
        assert mailgun.requests_seen == 3 + trial
        assert pause.is_on()
    mailgun.behave = 200
    clock.shift(20 * MINUTE)
    assert deliver_due() == 10
    assert not pause.is_on()
    assert not says("does not respond")
    assert client.get("/readyz").json()["mail"] == "ok"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("behave", ["drop", 401, 429])
def test_of_many_workers_one_tries(queue, mailgun, behave):
    queue(10)
    mailgun.behave = behave
    deliver_due()
    before = mailgun.requests_seen
    OutboxPause.objects.update(until=timezone.now() - SECOND)
    Notification.objects.update(next_try_at=timezone.now() - MINUTE)
    assert at_once(4, lambda _number: deliver_due()) == [0] * 4
    assert mailgun.requests_seen == before + 1
    assert pause.is_on()
    assert set(Notification.objects.values_list("state", "leased_until")) == {(State.WAITING, None)}


def test_trial_of_a_dead_worker_is_made_by_another(clock, queue, mailgun):
    queue(2)
    mailgun.behave = 401
    deliver_due()
    clock.shift(pause.KEY_PAUSE)
    assert delivery._next_mail(lambda: False)
    mailgun.behave = 200
    assert deliver_due() == 0
    clock.shift(pause.TRIAL)
    assert deliver_due() == 1
    assert not pause.is_on()


@pytest.mark.parametrize(
    ("first", "trial", "goes_on"),
    [
        ("drop", 500, True),  # it answers again
        ("drop", 400, True),
        (401, 500, False),  # which says nothing of the key
        (401, "lose", False),
        (401, 400, True),
        (429, 500, False),
    ],
)
def test_trial_must_show_that_the_reason_is_gone(clock, queue, mailgun, first, trial, goes_on):
    queue(10)
    mailgun.behave = first
    deliver_due()
    clock.shift(HOUR)
    before, mailgun.behave = mailgun.requests_seen, trial
    deliver_due()
    assert (mailgun.requests_seen - before > 1) == goes_on
    assert pause.is_on() == (not goes_on)
    queue(1)
    mailgun.behave = 200
    clock.shift(HOUR)
    assert deliver_due() >= 1
    assert not pause.is_on()


def test_longest_pause_holds(clock):
    seen = pause.state()
    end = pause.begin(HOUR, Reason.THROTTLED, seen=seen)
    pause.begin(MINUTE, Reason.REFUSED, seen=seen)
    assert (pause.state().until, pause.reason()) == (end, Reason.THROTTLED)
    OutboxPause.objects.update(until=None)
    pause.begin(MINUTE, Reason.REFUSED, seen=seen)
    end = pause.begin(HOUR, Reason.THROTTLED, seen=seen)
    assert (pause.state().until, pause.reason()) == (end, Reason.THROTTLED)


def test_trial_is_followed_by_the_pause_that_the_provider_asked_for_even_a_short_one(clock):
    pause.begin(HOUR, Reason.THROTTLED, seen=pause.state())
    clock.shift(HOUR)
    trial = pause.state()
    assert pause.take_trial(trial)
    assert pause.begin(SECOND, Reason.THROTTLED, seen=trial) == pause.state().until


def test_mail_that_was_under_way_when_a_pause_began_does_not_end_it(clock):
    seen = pause.state()
    pause.begin(HOUR, Reason.THROTTLED, seen=seen)
    pause.answered(seen, takes_mail=True)
    assert pause.is_on()


def test_pause_outlives_the_cache(clock):
    """Of a full cache some entries go at random."""
    pause.begin(HOUR, Reason.THROTTLED, seen=pause.state())
    cache.clear()
    assert pause.is_on()


def test_clock_that_is_set_back_does_not_pause_for_ever(clock, queue, mailgun):
    clock.shift(timedelta(days=365))
    pause.begin(HOUR, Reason.THROTTLED, seen=pause.state())
    clock.shift(timedelta(days=-365))
    queue(2)
    assert not pause.is_on()
    assert deliver_due() == 2


def test_mail_that_cannot_be_written_is_no_silence_of_the_provider(clock, queue, mailgun, monkeypatch):
    """Its words may come from a storage that does not answer."""

    def fail(notifications):
        raise TimeoutError("the storage is away")

    monkeypatch.setattr(delivery.messages, "build", fail)
    queue(5)
    deliver_due()
    assert not pause.is_on()
    assert set(Notification.objects.values_list("attempts", flat=True)) == {1}


def test_each_sender_has_one_pause(clock):
    pause.begin(HOUR, Reason.REFUSED, seen=pause.state(7))
    assert (pause.is_on(7), pause.is_on()) == (True, False)
    pause.begin(HOUR, Reason.REFUSED, seen=pause.state(7))
    assert [state.number for state in OutboxPause.objects.all()] == [7]
