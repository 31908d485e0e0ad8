"""The timed jobs as a table. Any number of workers may ask; each job runs once in its interval (JobRun)."""

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings

from accounts import invitations
from accounts.models import PeopleUpload
from helpdesk import clock
from tickets.actions import drafts, handing_over, ownership_check, silence
from tickets.files import pictures
from tickets.files.discarded import delete_discarded
from tickets.files.probe import probe
from tickets.mail import access_tokens, alarms, canary, probing
from tickets.mail.receiving import handler
from tickets.mail.receiving.fetching import pool
from tickets.models import JobRun
from tickets.models.job_run import AGAIN_AFTER_FAILURE
from tickets.notifications import weekly_report
from tickets.reports import daily_keeping
from tickets.search import documents
from tickets.storage.access import StoreUnavailable

logger = logging.getLogger(__name__)
LEFT_OVER_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Job:
    name: str
    interval: timedelta
    run: Callable[[], object]


def clear_expired_sessions() -> None:
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


def delete_expired_uploads() -> None:
    PeopleUpload.objects.expired().delete()


def handle_left_over_mail() -> None:
    """What was stored and no more, because the process that took it in died."""
    handler.handle_left_over(clock.now() - LEFT_OVER_AFTER)


JOBS = (
    Job("clear_expired_sessions", timedelta(days=1), clear_expired_sessions),
    Job("delete_expired_uploads", timedelta(hours=1), delete_expired_uploads),
    Job("send_invitations", timedelta(seconds=10), invitations.send_due),
    Job("forget_old_drafts", timedelta(days=1), drafts.forget_old),
    Job("fetch_mail", timedelta(seconds=5), pool.fetch_due),
    Job("handle_left_over_mail", timedelta(minutes=1), handle_left_over_mail),
    Job("wake_waiting_tickets", timedelta(minutes=10), silence.wake),
    Job("close_silent_tickets", timedelta(minutes=10), silence.close),
    Job("remind_silent_requesters", timedelta(minutes=10), silence.remind),
    Job("renew_access_tokens", timedelta(days=1), access_tokens.renew_all),
    Job("send_canary", timedelta(hours=1), canary.send_canary),
    Job("probe_attachment_store", timedelta(minutes=5), probe),
    Job("delete_discarded_files", timedelta(hours=1), delete_discarded),
    Job("hand_over", timedelta(minutes=1), handing_over.hand_over),
    Job("draw_pictures", timedelta(seconds=5), pictures.make_waiting),
    Job("renew_search", timedelta(seconds=10), documents.renew),
    Job("keep_daily_figures", timedelta(minutes=1), daily_keeping.keep),
    Job("check_daily_figures", timedelta(days=1), daily_keeping.check),
    Job("queue_weekly_reports", timedelta(minutes=10), weekly_report.queue_due),
    Job("test_mailboxes", timedelta(seconds=2), probing.run_waiting),
    Job("check_ownership", timedelta(days=1), ownership_check.check),
    Job("log_mail_alarms", timedelta(minutes=1), alarms.log_new),
)


@dataclass(frozen=True)
class ClaimedJob:
    """A job that is ours to run now."""

    job: Job
    row: JobRun

    def run(self) -> bool:
        """Runs the job and says when it is due again: after its interval, or soon where it failed."""
        try:
            self.job.run()
        except StoreUnavailable as error:  # has its alarm already
            logger.error("The job %s waits for the attachment store: %s", self.job.name, error)
        except Exception:
            logger.exception("The job %s failed.", self.job.name)
        else:
            self.row.end(self.row.started_at + self.job.interval)
            return True
        self.row.end(clock.now() + AGAIN_AFTER_FAILURE)
        return False


def run_due(jobs: Collection[Job] | None = None) -> int:
    """Runs the jobs whose time has come, one after the other. Returns how many ran well."""
    return sum(turn.run() for turn in claim_due(JOBS if jobs is None else jobs))


def claim_due(jobs: Collection[Job]) -> Iterator[ClaimedJob]:
    """The jobs whose time has come, in the order of `jobs`; each is claimed when it is asked for."""
    now = clock.now()
    rows = _rows([job.name for job in jobs], now)
    for job in jobs:
        row = rows[job.name]
        if row.is_due(now, interval=job.interval) and row.begin(clock.now()):
            yield ClaimedJob(job, row)


def _rows(names: Collection[str], now: datetime) -> dict[str, JobRun]:
    """A job that never ran is due now."""
    rows = JobRun.objects.in_bulk(names)
    if new := [JobRun(name=name, due_at=now) for name in names if name not in rows]:
        JobRun.objects.bulk_create(new, ignore_conflicts=True)
        rows = JobRun.objects.in_bulk(names)
    return rows
