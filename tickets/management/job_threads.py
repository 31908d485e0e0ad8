"""Runs each timed job of one worker in its own thread.

Thus jobs, other jobs and emails do not delay each other. Each thread has its own connection to the database
and closes it at the end.
"""

import logging
import threading
import time
from collections.abc import Collection
from datetime import timedelta
from itertools import islice

from django.db import DatabaseError, InterfaceError, connections

from helpdesk import clock
from tickets.jobs import ClaimedJob, Job, claim_due
from tickets.models.job_run import LEASE

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 4
LONGEST = timedelta(hours=1)


class JobThreads:
    def __init__(self, jobs: Collection[Job]):
        self.jobs = jobs
        self.running: dict[str, tuple[ClaimedJob, threading.Thread]] = {}

    def tick(self) -> None:
        """Starts due jobs, and renews the leases of running jobs."""
        self._forget_ended()
        self._renew()
        idle = [job for job in self.jobs if job.name not in self.running]
        for turn in islice(claim_due(idle), MOST_AT_ONCE - len(self.running)):
            # A daemon thread, so that a hanging job does not prevent the worker from stopping.
            thread = threading.Thread(target=_run, args=(turn,), name=turn.job.name, daemon=True)
            self.running[turn.job.name] = turn, thread
            thread.start()

    def end(self, *, seconds: float) -> None:
        """Waits for running jobs. Releases the leases of unfinished ones for another worker."""
        deadline = time.monotonic() + seconds
        for _turn, thread in self.running.values():
            thread.join(max(0, deadline - time.monotonic()))
        self._forget_ended()
        for name, (turn, _thread) in self.running.items():
            logger.warning("The job %s has not ended; another worker begins it anew.", name)
            turn.row.end(clock.now())

    def _forget_ended(self) -> None:
        self.running = {name: pair for name, pair in self.running.items() if pair[1].is_alive()}

    def _renew(self) -> None:
        """Renews leases up to a limit, so that another process can run a job that hangs here."""
        if not self.running:
            return
        now = clock.now()
        for turn, _thread in self.running.values():
            is_half_over = turn.row.due_at - now < LEASE / 2
            if is_half_over and now - turn.row.started_at < LONGEST:
                turn.row.renew(now)


def _run(turn: ClaimedJob) -> None:
    try:
        turn.run()
    except (DatabaseError, InterfaceError):  # the lease expires, and the job runs again
        logger.exception("The database did not answer at the end of the job %s.", turn.job.name)
    finally:
        connections.close_all()
