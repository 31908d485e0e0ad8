"""The threads of a worker that fetch mailboxes.

The job fetch_mail only starts them, so neither the outbox nor another job waits for a server that hangs. Each
thread visits due mailboxes until none is left, and closes its connection to the database.
"""

import logging
import threading
import time

from django.db import connections

from tickets.mail.receiving.fetching import leases, rounds

logger = logging.getLogger(__name__)
MOST_THREADS = 4


class FetchThreads:
    def __init__(self):
        self.threads: list[threading.Thread] = []
        self.stop = threading.Event()

    def start(self) -> None:
        """Starts a thread for each mailbox that is due, up to MOST_THREADS."""
        self.threads = [thread for thread in self.threads if thread.is_alive()]
        for _mailbox in leases.due()[: MOST_THREADS - len(self.threads)]:
            # A daemon thread, so that a hanging server does not prevent the worker from stopping.
            thread = threading.Thread(target=_fetch_due, args=(self.stop,), name="fetch_mail", daemon=True)
            self.threads.append(thread)
            thread.start()

    def ask_to_stop(self) -> None:
        """Each thread ends after its current email."""
        self.stop.set()
        self.stop = threading.Event()

    def wait(self, *, seconds: float) -> None:
        """Waits until the threads have ended. What the time is too short for is left: the lease runs out."""
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0, deadline - time.monotonic()))


THREADS = FetchThreads()


def fetch_due() -> None:
    THREADS.start()


def _fetch_due(stop: threading.Event) -> None:
    try:
        while not stop.is_set() and (lease := leases.take_due()):
            rounds.visit(lease, should_stop=stop.is_set)
    except Exception:  # the lease runs out, and the mailbox is fetched again
        logger.exception("A thread that fetches email has ended.")
    finally:
        connections.close_all()
