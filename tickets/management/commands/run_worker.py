import logging
import signal
import threading
from concurrent.futures import Executor, ThreadPoolExecutor

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from tickets import jobs
from tickets.notifications import delivery

logger = logging.getLogger(__name__)
POLL_SECONDS = 1
LONGEST_BACK_OFF = 60  # seconds
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Command(BaseCommand):
    help = (
        "Delivers the mail that waits in the outbox and runs the timed jobs, until it is stopped (Ctrl+C or "
        "SIGTERM). Several workers may run at once, on one machine or on many."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--once", action="store_true", help="Deliver what is due now, run the jobs that are due, and end."
        )

    def handle(self, *args, once, **options):
        self.stop = threading.Event()
        if once:
            self.stdout.write(f"Sent {self.work()} mails.")
            return
        before = {number: signal.signal(number, self.ask_to_stop) for number in STOP_SIGNALS}
        self.stdout.write("The worker delivers mail. Stop it with Ctrl+C.")
        try:
            self.stdout.write(f"The worker has stopped. It sent {self.work_until_stopped()} mails.")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def ask_to_stop(self, signum, frame):
        """The mail that is being sent is finished first."""
        self.stop.set()

    def work(self, helper: Executor | None = None) -> int:
        sent = delivery.deliver_due(should_stop=self.stop.is_set, helper=helper)
        jobs.run_due()
        return sent

    def work_until_stopped(self) -> int:
        with ThreadPoolExecutor(max_workers=1) as helper:
            return self.work_with(helper)

    def work_with(self, helper: Executor) -> int:
        sent, back_off = 0, POLL_SECONDS
        while not self.stop.is_set():
            try:
                close_old_connections()
                helper.submit(close_old_connections)  # each thread has its own
                sent += self.work(helper)
                back_off = POLL_SECONDS
            except (DatabaseError, InterfaceError):
                back_off = min(back_off * 2, LONGEST_BACK_OFF)
                logger.exception("The database does not answer. The next try is in %s seconds.", back_off)
                connection.close()
            self.stop.wait(back_off)
        return sent
