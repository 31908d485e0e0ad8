"""Each timed job runs once in its interval, whatever workers do and clocks say (THREATS 140, 141)."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from helpdesk import clock
from tickets import jobs
from tickets.management.job_threads import MOST_AT_ONCE, JobThreads
from tickets.models import JobRun
from tickets.models.job_run import AGAIN_AFTER_FAILURE, LEASE
from tickets.storage.access import StoreUnavailable

pytestmark = pytest.mark.django_db
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
ROUNDS = 50
NAMES = ("first", "second", "third")
# For each line that it reads: runs what is due, and says what that was.
RUN_IN_ROUNDS = f"""
import sys
from datetime import timedelta
from functools import partial
from tickets import jobs
ran = []
table = [jobs.Job(name, timedelta(hours=1), partial(ran.append, name)) for name in {NAMES}]
for line in iter(sys.stdin.readline, ""):
    jobs.run_due(table)
    print(" ".join(ran), flush=True)
    ran.clear()
"""


@pytest.fixture
def runs() -> list[int]:
    return []


@pytest.fixture
def job(runs):
    return jobs.Job("test", HOUR, lambda: runs.append(1))


def at(moment) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


def test_each_job_runs_once_in_its_interval(job, runs):
    now = timezone.now()
    with at(now):
        assert [jobs.run_due((job,)) for _worker in range(3)] == [1, 0, 0]
    with at(now + HOUR - SECOND):
        assert jobs.run_due((job,)) == 0
    with at(now + HOUR):
        assert [jobs.run_due((job,)) for _worker in range(3)] == [1, 0, 0]
    assert len(runs) == 2


def test_failed_job_stops_no_other_and_is_tried_again_soon(job, runs, caplog):
    def fail():
        raise RuntimeError("broken")

    table, now = (jobs.Job("broken", DAY, fail), job), timezone.now()
    with at(now):
        assert jobs.run_due(table) == 1
        assert caplog.text.count("The job broken failed.") == 1
    with at(now + AGAIN_AFTER_FAILURE - SECOND):
        jobs.run_due(table)
    assert caplog.text.count("The job broken failed.") == 1
    with at(now + AGAIN_AFTER_FAILURE):
        jobs.run_due(table)
    assert caplog.text.count("The job broken failed.") == 2
    assert runs == [1]


def test_job_that_waits_for_the_store_says_so_in_one_line_and_is_tried_again_soon(caplog):
    def ask():
        raise StoreUnavailable("no such folder")

    table, now = (jobs.Job("draw", DAY, ask),), timezone.now()
    with at(now):
        assert jobs.run_due(table) == 0
    (record,) = caplog.records
    assert record.getMessage() == "The job draw waits for the attachment store: no such folder"
    assert record.exc_info is None
    with at(now + AGAIN_AFTER_FAILURE):
        assert list(jobs.claim_due(table))


def test_job_of_a_dead_worker_is_run_when_its_lease_is_over(job, runs):
    now = timezone.now()
    with at(now):
        assert next(jobs.claim_due((job,)))
        assert jobs.run_due((job,)) == 0
    with at(now + LEASE):
        assert jobs.run_due((job,)) == 1
    with at(now + LEASE + HOUR - SECOND):
        assert jobs.run_due((job,)) == 0


def test_worker_that_was_too_slow_does_not_overwrite_the_next_ones_turn(job, runs):
    now = timezone.now()
    with at(now):
        slow = next(jobs.claim_due((job,)))
    with at(now + LEASE):
        jobs.run_due((job,))
    slow.run()
    assert not slow.row.renew(now + DAY)
    assert JobRun.objects.get().due_at == now + LEASE + HOUR


@pytest.mark.parametrize("back", [HOUR * 3, DAY, 365 * DAY])
def test_clock_that_is_set_back_stops_no_job(job, runs, back):
    now = timezone.now()
    with at(now + back):
        jobs.run_due((job,))
    with at(now):
        assert [jobs.run_due((job,)) for _worker in range(2)] == [1, 0]


def test_clock_that_is_set_back_a_little_repeats_no_job(job, runs):
    now = timezone.now()
    with at(now):
        jobs.run_due((job,))
    with at(now - SECOND):
        assert jobs.run_due((job,)) == 0


def test_shorter_interval_holds_at_once(job, runs):
    now = timezone.now()
    with at(now):
        jobs.run_due((jobs.Job("test", 30 * DAY, job.run),))
        assert jobs.run_due((job,)) == 1


def test_full_or_empty_cache_repeats_no_job(job, runs):
    """Of a full cache some entries go at random."""
    jobs.run_due((job,))
    cache.clear()
    assert jobs.run_due((job,)) == 0


def test_idle_worker_asks_little(django_assert_num_queries):
    jobs.run_due()
    with django_assert_num_queries(1):
        assert jobs.run_due() == 0


def test_expired_sessions_are_cleared(client_of, alice):
    client_of(alice)
    Session.objects.update(expire_date="2026-01-01T00:00Z")
    jobs.clear_expired_sessions()
    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_runs_each_job_in_each_interval(start_process):
    """Real processes: 50 intervals, three jobs. The first round makes the rows, too."""
    workers = [start_process("manage.py", "shell", "-v", "0", "-c", RUN_IN_ROUNDS) for _worker in range(2)]
    shares = []
    for _round in range(ROUNDS):
        JobRun.objects.update(due_at=clock.now() - SECOND)
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        share = [worker.stdout.readline().split() for worker in workers]
        assert sorted(share[0] + share[1]) == sorted(NAMES)
        shares.append(share)
    assert all(any(share[number] for share in shares) for number in range(2)), "one worker was idle"


# Threads of one worker
@pytest.fixture
def gate():
    """A job that waits for the test; it is let go at the latest at the end."""
    gate = threading.Event()
    yield gate
    gate.set()


def wait_for(threads: JobThreads) -> None:
    for _turn, thread in threads.running.values():
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_long_job_keeps_no_other_waiting(job, runs, gate):
    slow = jobs.Job("slow", HOUR, lambda: gate.wait(30))
    threads = JobThreads((slow, job))
    threads.tick()
    threads.running["test"][1].join(30)
    assert runs == [1]
    assert threads.running["slow"][1].is_alive()
    threads.tick()
    assert list(threads.running) == ["slow"]
    gate.set()
    wait_for(threads)
    row = JobRun.objects.get(name="slow")
    assert row.due_at == row.started_at + HOUR


@pytest.mark.django_db(transaction=True)
def test_only_so_many_jobs_run_at_once(gate):
    table = [jobs.Job(f"slow {number}", HOUR, lambda: gate.wait(30)) for number in range(MOST_AT_ONCE + 2)]
    threads = JobThreads(table)
    threads.tick()
    threads.tick()
    assert len(threads.running) == MOST_AT_ONCE
    gate.set()
    wait_for(threads)
    threads.tick()
    wait_for(threads)
    assert JobRun.objects.filter(started_at=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_lease_of_a_long_job_is_renewed_while_its_worker_lives_but_not_for_ever(gate):
    slow, now = jobs.Job("slow", HOUR, lambda: gate.wait(30)), timezone.now()
    threads = JobThreads((slow,))
    with at(now) as traveller:
        for minute in range(0, 56, 2):
            traveller.move_to(now + timedelta(minutes=minute))
            threads.tick()
            assert jobs.run_due((slow,)) == 0, f"after {minute} minutes"
        traveller.move_to(now + 2 * HOUR)
        threads.tick()
        assert next(jobs.claim_due((slow,)))
    gate.set()
    wait_for(threads)


@pytest.mark.django_db(transaction=True)
def test_job_that_has_not_ended_when_its_worker_stops_is_left_to_another(gate, caplog):
    slow = jobs.Job("slow", DAY, lambda: gate.wait(30))
    threads = JobThreads((slow,))
    threads.tick()
    threads.end(seconds=0)
    assert "The job slow has not ended" in caplog.text
    turn = next(jobs.claim_due((slow,)))
    assert turn.job is slow
    gate.set()
    wait_for(threads)
    assert JobRun.objects.get().due_at == turn.row.due_at


@pytest.mark.django_db(transaction=True)
def test_threads_of_jobs_leave_no_connection_open():
    used = []

    def look():
        JobRun.objects.count()
        used.append(connection.connection)

    threads = JobThreads((jobs.Job("look", HOUR, look),))
    threads.tick()
    wait_for(threads)
    assert used[0] is not connection.connection
    with pytest.raises(connection.Database.Error):  # it is closed
        used[0].cursor()
