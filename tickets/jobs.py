"""The timed jobs as a table. Any number of workers may ask; each job runs once in its interval."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from tickets import ownership, silence
from tickets.inbound import handler
from tickets.notifications import alarms, outbox
from tickets.pictures import making
from tickets.storage.discarded import delete_discarded
from tickets.storage.probe import probe

logger = logging.getLogger(__name__)
AGAIN_AFTER_FAILURE = timedelta(minutes=5)
LEFT_OVER_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Job:
    name: str
    interval: timedelta
    run: Callable[[], object]

    @property
    def key(self) -> str:
        return f"job.{self.name}"


def clear_expired_sessions() -> None:
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def handle_left_over_mail() -> None:
    """What was stored and no more, because the process that took it in died."""
    handler.handle_left_over(timezone.now() - LEFT_OVER_AFTER)


JOBS = (
    Job("clear_expired_sessions", timedelta(days=1), clear_expired_sessions),
    Job("handle_left_over_mail", timedelta(minutes=1), handle_left_over_mail),
    Job("wake_waiting_tickets", timedelta(minutes=10), silence.wake),
    # Before reminding, so that nobody is reminded and closed in one go.
    Job("close_silent_tickets", timedelta(minutes=10), silence.close),
    Job("remind_silent_requesters", timedelta(minutes=10), silence.remind),
    Job("send_canary", timedelta(hours=1), outbox.enqueue_canary),
    Job("probe_attachment_store", timedelta(minutes=5), probe),
    Job("delete_discarded_files", timedelta(hours=1), delete_discarded),
    Job("hand_over", timedelta(minutes=1), ownership.hand_over),
    Job("draw_pictures", timedelta(seconds=5), making.make_waiting),
    Job("log_mail_alarms", timedelta(minutes=1), alarms.log_new),
)


def run_due(jobs: tuple[Job, ...] = JOBS) -> int:
    """Runs the jobs whose time has come. Returns how many ran. A job that fails stops no other."""
    done = 0
    for job in jobs:
        # The one who can add the key is the one who runs the job; the key ends with the interval.
        if not cache.add(job.key, 1, timeout=round(job.interval.total_seconds())):
            continue
        try:
            job.run()
            done += 1
        except Exception:
            logger.exception("The job %s failed.", job.name)
            cache.set(job.key, 1, timeout=round(AGAIN_AFTER_FAILURE.total_seconds()))
    return done
