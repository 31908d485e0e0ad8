import logging
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, connections

from tickets import jobs
from tickets.mail.environment import keep_mailbox
from tickets.mail.receiving.fetching import pool
from tickets.mail.sending import delivery
from tickets.management.job_threads import JobThreads

logger = logging.getLogger(__name__)
POLL_SECONDS = 1
LONGEST_BACK_OFF = 60  # seconds
LAST_SECONDS = 5  # for running jobs to end; with the current email less than 20 seconds in total
LONGEST_FETCH = 120  # seconds, for --once
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Command(BaseCommand):
    help = (
        "Delivers the emails in the outbox and runs the timed jobs until it is stopped (Ctrl+C or "
        "SIGTERM). Several workers can run at the same time, on one machine or on many."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--once", action="store_true", help="Deliver what is due now, run the jobs that are due, and end."
        )

    def handle(self, *args, once, **options):
        self.stop = threading.Event()
        keep_mailbox()
        if once:
            sent = delivery.deliver_due()
            jobs.run_due()
            pool.THREADS.wait(seconds=LONGEST_FETCH)
            self.stdout.write(f"Sent {sent} emails.")
            return
        before = {number: signal.signal(number, self.ask_to_stop) for number in STOP_SIGNALS}
        self.stdout.write("The worker delivers emails. Stop it with Ctrl+C.")
        try:
            self.stdout.write(f"The worker has stopped. It sent {self.work_until_stopped()} emails.")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def ask_to_stop(self, signum, frame):
        """Stops after the current email."""
        self.stop.set()

    def work_until_stopped(self) -> int:
        """Sends in the main thread, where the time limit works, and starts jobs from another thread.

        Neither waits for the other. Returns the number of sent emails. Raises CommandError if jobs can't be
        started any more, because a worker without jobs must not seem healthy.
        """
        threads, failures, sent = JobThreads(jobs.JOBS), [], 0
        beginner = threading.Thread(target=self.begin_jobs, args=(threads, failures), daemon=True)
        beginner.start()

        def deliver(helper: Executor) -> None:
            nonlocal sent
            helper.submit(close_old_connections)  # each thread has its own connection
            sent += delivery.deliver_due(should_stop=self.stop.is_set, helper=helper)

        try:
            with ThreadPoolExecutor(max_workers=1) as helper:
                self.repeat(lambda: deliver(helper))
                helper.submit(connections.close_all)
        finally:
            self.stop.set()
            beginner.join(LAST_SECONDS + 2)
        if failures:
            raise CommandError("The timed jobs can't be begun any more; the log says why.")
        return sent

    def begin_jobs(self, threads: JobThreads, failures: list[Exception]) -> None:
        try:
            self.repeat(threads.tick)
            deadline = time.monotonic() + LAST_SECONDS
            pool.THREADS.ask_to_stop()
            threads.end(seconds=LAST_SECONDS)
            pool.THREADS.wait(seconds=deadline - time.monotonic())
        except Exception as error:
            logger.exception("The timed jobs can't be begun any more.")
            failures.append(error)
            self.stop.set()
        finally:
            connections.close_all()

    def repeat(self, act: Callable[[], object]) -> None:
        """Repeats `act` until the worker stops, less often while the database does not answer."""
        back_off = POLL_SECONDS
        while not self.stop.is_set():
            try:
                close_old_connections()
                act()
                back_off = POLL_SECONDS
            except (DatabaseError, InterfaceError):
                back_off = min(back_off * 2, LONGEST_BACK_OFF)
                logger.exception("The database does not answer. The next try is in %s seconds.", back_off)
                connection.close()
            self.stop.wait(back_off)
