"""A mail that can't be read stops neither its process for ever nor the mails behind it (THREATS 108, 132)."""

import os
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from tickets import jobs
from tickets.mail import alarms
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import attempts, filing, handler, parsing
from tickets.models import Comment, InboundEmail, Ticket
from tickets.tests.factories import make_ticket

State, Reason = InboundEmail.State, InboundEmail.Reason
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
POISON = b"this one kills"


class Killed(BaseException):
    """As when the process ends in the middle."""


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = "in.example.com"


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def killer(monkeypatch):
    """Reading a poisoned mail ends the process."""
    read = parsing.parse

    def parse(raw: bytes):
        if POISON in raw:
            raise Killed
        return read(raw)

    monkeypatch.setattr(parsing, "parse", parse)


def stored(number: int = 1, body: bytes = b"Hello", to: str = "support@in.example.com") -> InboundEmail:
    raw = f"From: alice@example.com\r\nTo: {to}\r\nMessage-ID: <{number}@example.com>\r\n\r\n".encode() + body
    identity = f"<{number}@example.com>"
    return InboundEmail.objects.create(identity=identity, raw=raw, size=len(raw), route="command")


def reply_of(person, number: int = 1) -> InboundEmail:
    return stored(number, to=reply_address(make_ticket(person).pk, person.pk))


def run_job(clock, after=10 * MINUTE) -> int:
    """As the worker runs it, which starts again after each death. Returns how often it died."""
    clock.shift(after)
    for deaths in range(1000):
        try:
            jobs.handle_left_over_mail()
        except Killed:
            continue
        return deaths
    raise AssertionError("It never ends.")


def now_is(email: InboundEmail) -> InboundEmail:
    email.refresh_from_db()
    return email


# A mail that ends its process
@pytest.mark.django_db
def test_mail_that_ends_its_process_three_times_is_given_up_with_an_alarm(clock, killer):
    poisoned = stored(1, POISON)
    for number in (1, 2, 3):
        assert run_job(clock) == 1
        assert (now_is(poisoned).attempts, poisoned.state) == (number, State.RECEIVED)
    assert run_job(clock) == 0
    assert (now_is(poisoned).state, poisoned.reason) == (State.FAILED, Reason.INTERRUPTED)
    assert POISON in bytes(poisoned.raw)
    assert any("could not be read" in sentence for sentence in alarms.alarms())
    assert run_job(clock) == 0


@pytest.mark.django_db
def test_its_page_does_not_read_it_and_leads_on(clock, killer, client_of, ann):
    poisoned = stored(1, POISON)
    for _run in range(4):
        run_job(clock)
    client, url = client_of(ann), f"/admin/tickets/inboundemail/{poisoned.pk}"
    page = client.get(f"{url}/change/").content.decode()
    assert "This email can't be opened here. You can download it." in page
    assert client.get(f"{url}/html/").status_code == 404
    assert client.get(f"{url}/raw/").content == bytes(poisoned.raw)
    for act in ("release", "ticket", "block"):
        client.post(f"{url}/decide/", {"act": act})
        assert now_is(poisoned).state == State.FAILED
    client.post(f"{url}/decide/", {"act": "discard"})
    assert now_is(poisoned).state == State.IGNORED


@pytest.mark.django_db
def test_hundred_poisoned_mails_hold_up_no_other(clock, killer, alice):
    poisoned = [stored(number, POISON) for number in range(handler.MOST_LEFT_OVER)]
    good = reply_of(alice, 1000)
    while now_is(good).state == State.RECEIVED:
        assert run_job(clock) <= len(poisoned)
    assert good.state == State.FILED
    assert {now_is(email).state for email in poisoned} == {State.RECEIVED}


@pytest.mark.django_db
@pytest.mark.parametrize("error", [ZeroDivisionError, MemoryError, RecursionError, OperationalError])
def test_hundred_failing_mails_hold_up_no_other(clock, monkeypatch, alice, caplog, error):
    read = parsing.parse

    def parse(raw: bytes):
        if POISON in raw:
            raise error
        return read(raw)

    monkeypatch.setattr(parsing, "parse", parse)
    for number in range(handler.MOST_LEFT_OVER):
        stored(number, POISON)
    good = reply_of(alice, 1000)
    run_job(clock)
    run_job(clock, MINUTE)
    assert now_is(good).state == State.FILED


@pytest.mark.django_db
def test_mail_that_was_never_tried_goes_before_what_failed(clock, killer):
    stored(1, POISON)
    run_job(clock)
    later, order = stored(2), []
    clock.shift(10 * MINUTE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "handle", lambda email: order.append(email.pk))
        jobs.handle_left_over_mail()
    assert order[0] == later.pk
    assert len(order) == 2


@pytest.mark.django_db
def test_job_leaves_the_worker_time_for_the_mail_that_goes_out(clock, monkeypatch):
    for number in range(5):
        stored(number)
    clock.shift(10 * MINUTE)
    hours = iter(range(0, 1000 * 3600, 3600))
    monkeypatch.setattr(handler.time, "monotonic", lambda: next(hours))
    jobs.handle_left_over_mail()
    assert InboundEmail.objects.filter(state=State.RECEIVED).count() == 5
    handled = []
    seconds = iter([0, 1, 20, 40, 60])
    monkeypatch.setattr(handler.time, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(handler, "handle", handled.append)
    assert handler.handle_left_over(timezone.now()) == len(handled) == 2


@pytest.mark.django_db
def test_last_attempt_that_runs_elsewhere_is_no_death(clock, killer):
    email = stored(1, POISON)
    for _attempt in range(3):
        with pytest.raises(Killed):
            handler.handle(email)
    assert handler.handle(email).state == State.RECEIVED
    clock.shift(attempts.AT_MOST)
    assert handler.handle(email).reason == Reason.INTERRUPTED


# No fault of the mail
@pytest.fixture
def broken_database():
    """Filing fails as it does where the database gives up; the mail can do nothing about it."""

    def fail(*args):
        raise OperationalError("terminating connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filing, "_body", fail)
        yield patch


@pytest.mark.django_db
@pytest.mark.parametrize("error", attempts.NOT_ITS_FAULT)
def test_outage_does_not_make_good_mail_fail(clock, monkeypatch, alice, error):
    email = reply_of(alice)

    def fail(*args):
        raise error("gone")

    with monkeypatch.context() as patch:
        patch.setattr(filing, "_body", fail)
        for _hour in range(24):
            run_job(clock, HOUR)
            assert (now_is(email).state, email.attempts) == (State.RECEIVED, 0)
            assert not email.comment
    run_job(clock, attempts.LONGEST_PAUSE)
    assert (now_is(email).state, Comment.objects.count()) == (State.FILED, 1)


@pytest.mark.django_db
def test_mail_that_the_database_never_takes_ends_some_day(clock, broken_database, alice):
    email = reply_of(alice)
    tries = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filing, "say", lambda *args, **kwargs: (tries.append(1), filing._body())[1])
        for _minute in range(24 * 60):
            run_job(clock, 5 * MINUTE)
            if now_is(email).state == State.FAILED:
                break
    assert email.state == State.FAILED
    assert "OperationalError" in email.detail
    assert 5 < len(tries) < 40
    assert any("could not be read" in sentence for sentence in alarms.alarms())


@pytest.mark.django_db
def test_mail_that_waits_for_long_raises_an_alarm(clock, broken_database, alice):
    reply_of(alice)
    run_job(clock)
    assert not any("incoming email has waited" in sentence for sentence in alarms.alarms())
    clock.shift(HOUR)
    assert any("incoming email has waited" in sentence for sentence in alarms.alarms())


@pytest.mark.django_db
def test_pauses_grow(clock, monkeypatch, broken_database, alice):
    email, pauses = reply_of(alice), []
    for _try in range(8):
        with pytest.raises(OperationalError):
            handler.handle(email)
        pauses.append(now_is(email).next_try_at - timezone.now())
        clock.move_to(email.next_try_at)
    assert pauses == sorted(pauses)
    assert pauses[0] == MINUTE
    assert pauses[-1] > HOUR


@pytest.mark.django_db
def test_staff_try_again_what_the_database_refuses(clock, broken_database, alice, ann):
    email = reply_of(alice)
    InboundEmail.objects.update(state=State.FAILED, reason=Reason.ERROR, attempts=3)
    with pytest.raises(OperationalError):
        handler.replay(email, by=ann)
    broken_database.undo()
    run_job(clock)
    assert now_is(email).state == State.FILED


# With real commits
@pytest.mark.django_db(transaction=True)
def test_mail_is_read_outside_any_transaction_and_after_its_attempt_is_counted(alice, monkeypatch):
    """Reading may take longer than a transaction may stay idle."""
    email, seen = reply_of(alice), []
    read = parsing.parse

    def parse(raw: bytes):
        seen.append(connection.in_atomic_block)
        watcher = threading.Thread(target=look)
        watcher.start()
        watcher.join()
        return read(raw)

    def look():
        try:
            seen.append(InboundEmail.objects.get().attempts)
            InboundEmail.objects.update(detail="not locked")
        finally:
            connection.close()

    monkeypatch.setattr(parsing, "parse", parse)
    handler.handle(email)
    assert seen == [False, 1]
    assert now_is(email).state == State.FILED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["release", "make_ticket", "attach", "block"])
def test_what_staff_decide_locks_nothing_while_the_mail_is_read(alice, ann, monkeypatch, act):
    email, ticket = stored(), make_ticket(alice)
    InboundEmail.objects.update(state=State.QUARANTINED)
    read = parsing.parse

    def parse(raw: bytes):
        assert not connection.in_atomic_block
        return read(raw)

    monkeypatch.setattr(parsing, "parse", parse)
    extra = (ticket,) if act == "attach" else ()
    try:
        getattr(handler, act)(email, *extra, by=ann)
    except handler.CannotDecide:
        assert act == "block"
    else:
        assert now_is(email).state == State.FILED


@pytest.mark.django_db(transaction=True)
def test_attempt_outlives_the_process_that_dies(alice, monkeypatch):
    """A child process that is gone in the middle, as when the machine runs out of memory."""
    email = stored(1, POISON)
    connection.close()  # a child must not share it
    monkeypatch.setattr(parsing, "parse", lambda raw: os._exit(9))
    child = os.fork()
    if not child:
        try:
            handler.handle(email)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert (now_is(email).attempts, email.state) == (1, State.RECEIVED)
    assert not Ticket.objects.exists()
