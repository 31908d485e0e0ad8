"""run_worker with real processes: SIGKILL loses nothing, SIGTERM ends cleanly (THREATS 87, 88, I6)."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings as project
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection

from tickets import jobs
from tickets.models import Notification
from tickets.notifications import outbox
from tickets.tests.factories import make_ticket

MAILS = 300
WORKERS = 4
KILLS = 6
State = Notification.State


@pytest.fixture
def start_worker(mailgun):
    """Starts a worker on the test's database that talks to the local Mailgun; ends what is left of them."""
    workers = []
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        url = f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "MAILGUN_API_KEY": "key",
        "MAILGUN_DOMAIN": "mg.example.com",
        "MAILGUN_API_URL": mailgun.url,
    }

    def start(*options: str) -> subprocess.Popen:
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker", *options],
            cwd=project.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.poll() is None:
            worker.kill()
        worker.wait()
        worker.stdout.close()


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


def wait_until(is_true, *, seconds: float) -> None:
    """Asks until it is so. The world outside is real processes here, so the clock is the real one."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it took too long"
        threading.Event().wait(0.1)


@pytest.mark.django_db
def test_once_delivers_what_is_due_and_ends(mailgun, alice, capsys):
    make_ticket(alice)
    call_command("run_worker", "--once")
    assert capsys.readouterr().out == "Sent 1 mails.\n"
    assert Notification.objects.get().state == State.SENT


@pytest.mark.django_db
def test_each_job_runs_once_in_its_interval():
    runs = []
    job = jobs.Job("test", timedelta(hours=1), lambda: runs.append(1))
    assert [jobs.run_due((job,)) for _worker in range(3)] == [1, 0, 0]
    assert runs == [1]


@pytest.mark.django_db
def test_failed_job_stops_no_other_and_is_tried_again_soon(caplog):
    def fail():
        raise RuntimeError("broken")

    runs = []
    table = (
        jobs.Job("broken", timedelta(hours=1), fail),
        jobs.Job("fine", timedelta(hours=1), lambda: runs.append(1)),
    )
    assert jobs.run_due(table) == 1
    assert runs == [1]
    assert "The job broken failed." in caplog.text


@pytest.mark.django_db
def test_expired_sessions_are_cleared(client_of, alice):
    client_of(alice)
    Session.objects.update(expire_date="2026-01-01T00:00Z")
    jobs.clear_expired_sessions()
    assert not Session.objects.exists()
