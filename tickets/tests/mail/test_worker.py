"""run_worker with real processes: SIGKILL loses nothing, SIGTERM ends cleanly (THREATS 87, 88, I6)."""

import os
import signal
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from tickets import jobs
from tickets.mail import alarms, pause
from tickets.mail.sending import delivery
from tickets.management import job_threads
from tickets.management.commands import run_worker
from tickets.models import Notification
from tickets.notifications import outbox
from tickets.tests.factories import make_ticket
from tickets.tests.real_time import wait_until

MAILS = 300
WORKERS = 4
KILLS = 6
State = Notification.State


def queue(person, count: int) -> None:
    """`count` mails about the account: each is a mail of its own."""
    for _number in range(count):
        outbox.enqueue_account_mail(person, "welcome", address=person.email)


@pytest.mark.django_db(transaction=True)
def test_killed_workers_lose_no_mail(mailgun, start_worker, alice):
    """300 mails, 4 workers, 6 SIGKILLs in the middle of a mail: none lost, at most a repeat for each."""
    queue(alice, MAILS)
    workers = [start_worker() for _worker in range(WORKERS)]
    turn = threading.Semaphore(0)
    kill_at = {30 * number for number in range(1, KILLS + 1)}

    def on_mail(mail):
        if len(mailgun.mails) in kill_at:
            turn.release()
            # The answer to this mail waits until one worker is dead: it may be the one that sent it.
            killed.wait(5)
            killed.clear()

    killed = threading.Event()
    mailgun.on_mail = on_mail
    for _kill in range(KILLS):
        assert turn.acquire(timeout=60)
        victim = workers.pop(0)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        killed.set()
        workers.append(start_worker())
    wait_until(lambda: not Notification.objects.filter(state=State.WAITING).exists(), seconds=120)
    for worker in workers:
        worker.terminate()
        worker.wait(20)
    # What the dead workers held: their leases run out in five minutes; here at once.
    Notification.objects.filter(state=State.SENDING).update(leased_until="2026-01-01T00:00Z")
    assert start_worker("--once").wait(60) == 0
    assert set(Notification.objects.values_list("state", flat=True)) == {State.SENT}
    copies = Counter(mail["h:Message-Id"] for mail in mailgun.mails)
    assert len(copies) == MAILS
    assert sum(copies.values()) - MAILS <= KILLS


@pytest.mark.django_db(transaction=True)
def test_sigterm_ends_the_worker_after_the_present_mail(mailgun, start_worker, alice):
    queue(alice, 50)
    reached = threading.Event()
    mailgun.on_mail = lambda mail: len(mailgun.mails) >= 5 and reached.set()
    worker = start_worker()
    assert reached.wait(30)
    worker.terminate()
    assert worker.wait(20) == 0
    assert "The worker has stopped." in worker.stdout.read()
    assert not Notification.objects.filter(state=State.SENDING).exists()
    sent = Notification.objects.filter(state=State.SENT).count()
    assert sent == len(mailgun.mails) < 50


@pytest.mark.django_db
def test_once_delivers_what_is_due_and_ends(mailgun, alice, capsys):
    make_ticket(alice)
    call_command("run_worker", "--once")
    assert capsys.readouterr().out == "Sent 1 emails.\n"
    assert Notification.objects.get().state == State.SENT


@pytest.fixture
def worker(monkeypatch):
    """A worker in this process and thread, which polls without waiting."""
    monkeypatch.setattr(run_worker, "POLL_SECONDS", 0.01)
    command = run_worker.Command()
    command.stop = threading.Event()
    return command


def job(run) -> jobs.Job:
    """A job that is always due."""
    return jobs.Job(run.__name__, timedelta(), run)


@pytest.mark.django_db(transaction=True)
def test_jobs_run_while_a_mail_is_at_the_provider(mailgun, worker, alice, settings, monkeypatch):
    """THREATS 140: the provider answers when a job has run three times, not earlier."""
    settings.ANYMAIL = {**settings.ANYMAIL, "REQUESTS_TIMEOUT": (30, 30)}
    monkeypatch.setattr(delivery, "SEND_SECONDS", 60)
    queue(alice, 1)
    rounds, ran, answered = [], threading.Event(), []

    def count():
        rounds.append(mailgun.requests_seen)
        if rounds.count(1) == 3:
            ran.set()

    def hold(mail):
        answered.append(ran.wait(30))
        worker.stop.set()

    monkeypatch.setattr(jobs, "JOBS", (job(count),))
    mailgun.on_mail = hold
    assert worker.work_until_stopped() == 1
    assert answered == [True]


@pytest.mark.django_db(transaction=True)
def test_mail_leaves_while_a_job_runs(mailgun, worker, alice, monkeypatch):
    queue(alice, 3)
    left, seen = threading.Event(), []

    def wait_for_mail():
        seen.append(left.wait(30))
        worker.stop.set()

    monkeypatch.setattr(jobs, "JOBS", (job(wait_for_mail),))
    mailgun.on_mail = lambda mail: len(mailgun.mails) == 3 and left.set()
    assert worker.work_until_stopped() == 3
    assert seen == [True]


@pytest.mark.django_db(transaction=True)
def test_provider_that_never_answers_keeps_no_job_waiting(
    mailgun, worker, alice, settings, monkeypatch, caplog
):
    """THREATS 140: 80 mails are due; three are tried, then the outbox pauses and jobs go on."""
    settings.ANYMAIL = {**settings.ANYMAIL, "REQUESTS_TIMEOUT": (3, 0.2)}
    queue(alice, 80)
    mailgun.behave, rounds = "hang", []

    def count():
        if pause.is_on():
            rounds.append(mailgun.requests_seen)
        if len(rounds) == 20:
            worker.stop.set()

    monkeypatch.setattr(jobs, "JOBS", (job(count), job(alarms.log_new)))
    assert worker.work_until_stopped() == 0
    assert rounds == [3] * 20
    assert mailgun.requests_seen == 3
    attempts = Counter(Notification.objects.filter(state=State.WAITING).values_list("attempts", flat=True))
    assert attempts == {1: 3, 0: 77}
    assert [line for line in caplog.messages if line.startswith("Alarm:")] == [
        "Alarm: The email provider does not respond. All emails wait; one is tried every five minutes."
    ]


@pytest.mark.django_db(transaction=True)
def test_sigterm_ends_a_worker_whose_provider_never_answers(mailgun, start_worker, alice):
    mailgun.behave = "hang"
    queue(alice, 5)
    worker = start_worker()
    wait_until(lambda: mailgun.requests_seen, seconds=60)
    before = mailgun.requests_seen
    worker.terminate()
    assert worker.wait(20) == 0
    assert mailgun.requests_seen <= before + 1
    assert set(Notification.objects.values_list("state", flat=True)) == {State.WAITING}


@pytest.mark.django_db(transaction=True)
def test_worker_that_cannot_begin_jobs_ends_with_an_error(mailgun, worker, monkeypatch, caplog):
    def fail(threads):
        raise RuntimeError("no more threads")

    monkeypatch.setattr(run_worker.JobThreads, "tick", fail)
    with pytest.raises(CommandError):
        worker.work_until_stopped()
    assert "no more threads" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_worker_goes_on_when_the_database_answers_again(mailgun, worker, alice, monkeypatch):
    """THREATS 110, for jobs as for mail."""
    queue(alice, 1)
    failures, runs = [], []
    claim_due = jobs.claim_due

    def fail_first(table):
        if len(failures) < 2:
            failures.append(1)
            raise OperationalError("the database is away")
        return claim_due(table)

    def run():
        runs.append(1)
        if mailgun.mails:
            worker.stop.set()

    monkeypatch.setattr(job_threads, "claim_due", fail_first)
    monkeypatch.setattr(jobs, "JOBS", (job(run),))
    assert worker.work_until_stopped() == 1
    assert len(failures) == 2
    assert runs
