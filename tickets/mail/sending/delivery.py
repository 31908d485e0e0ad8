"""Sends the emails of the outbox. No other module sends.

A worker claims the rows of one email (see claiming), which counts an attempt. It sends the email outside of
any transaction and records the result.
"""

import logging
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import requests
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRequestsAPIError
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError
from django.utils.translation import gettext as _

from helpdesk import clock
from tickets.mail import failures, pause
from tickets.mail.guard import UnsafeMail
from tickets.mail.sending.claiming import claim, finish, give_back, wait
from tickets.mail.sending.delivery_events import is_id
from tickets.mail.writing import messages
from tickets.models import Notification, OutboxPause, SuppressedAddress
from tickets.models.notification import CANARY, HANDED_OVER, WEEKLY_REPORT
from tickets.notifications import audiences, weekly_report

logger = logging.getLogger(__name__)
State, Reason = Notification.State, OutboxPause.Reason

SEND_SECONDS = 10  # a limit in total: a read timeout never fires if the provider answers byte by byte
RETRY_MINUTES = (1, 5, 15, 60, 180, 360, 720, 1440)
MOST_ATTEMPTS = len(RETRY_MINUTES) + 1
SPREAD = 0.2
REJECTED_ACCOUNT = (401, 402, 403, 404)  # the provider rejects the key, the account or the domain
PAUSES = (429, *REJECTED_ACCOUNT)


class SendTimeout(Exception):
    """The provider took longer than SEND_SECONDS in total."""


NO_ANSWER = (SendTimeout, TimeoutError, ConnectionError, requests.Timeout, requests.ConnectionError)


@dataclass(frozen=True)
class ReadyMail:
    """An email that is ready to send, with its rows, which are leased to this worker.

    `paused` is the state of the outbox, because this email may be the trial after a pause.
    """

    notifications: list[Notification]
    mail: EmailMessage
    paused: OutboxPause


def deliver_due(*, should_stop: Callable[[], bool] = lambda: False, helper: Executor | None = None) -> int:
    """Sends due emails until none is left or the outbox pauses. Returns the number of sent emails.

    `helper` builds the next email in its thread while the current one is sent. Only one email at a time is
    sent, and its result is saved before the next, so a killed worker repeats at most one.
    """
    sent = 0
    with closing(get_connection()) as connection:
        ready = _next_mail(should_stop)
        while ready:
            coming = helper.submit(_next_mail, should_stop) if helper else None
            left = _send(ready, connection)
            sent += left
            ready = coming.result() if coming else None
            if ready and (should_stop() or (not left and pause.is_on())):
                give_back(ready.notifications)
                break
            # A row that waited for the previous email may be due now.
            ready = ready or _next_mail(should_stop)
    return sent


def _next_mail(should_stop: Callable[[], bool]) -> ReadyMail | None:
    """Claims and builds the next due email; None if there is none."""
    while not should_stop():
        now, paused = clock.now(), pause.state()
        notifications = [] if paused.is_on(now) else claim(now)
        if not notifications:
            return None
        ready = _make(notifications, paused)
        if ready is None:
            continue
        if paused.until and not pause.take_trial(paused):
            give_back(ready.notifications)
            return None
        return ready
    return None


def _make(notifications: list[Notification], paused: OutboxPause) -> ReadyMail | None:
    """Builds the email of claimed rows. If it must not be sent, saves the reason and returns None."""
    if notifications[0].attempts > MOST_ATTEMPTS:
        logger.error("Notification %s ended its worker each time and is given up.", notifications[0].pk)
        finish(notifications, state=State.FAILED, last_error=_("The worker stopped at each attempt."))
        return None
    for row in notifications:  # one instance of the person, which caches permissions
        row.person = notifications[0].person
    sendable = list(filter(_may_still_be_notified, notifications))
    if unsendable := [row for row in notifications if row not in sendable]:
        finish(unsendable, state=State.SUPPRESSED, last_error=_("This person may no longer be notified."))
    if not sendable:
        return None
    _use_current_address(sendable)
    suppressed = SuppressedAddress.objects.filter(address=sendable[0].address.lower()).first()
    if suppressed:
        finish(sendable, state=State.SUPPRESSED, last_error=suppressed.words)
        return None
    try:
        return ReadyMail(sendable, messages.build(sendable), paused)
    except DatabaseError:
        raise  # the lease expires, and the email is tried again
    except UnsafeMail as error:
        logger.error("An email to %r can't be sent: %s", sendable[0].address, error)
        finish(sendable, state=State.FAILED, last_error=str(error))
    except Exception as error:
        logger.exception("Notification %s could not be written.", sendable[0].pk)
        _try_later(sendable, failures.in_words(error))
    return None


def _use_current_address(notifications: list[Notification]) -> None:
    """Sends news about tickets to the person's current address; the old one may belong to somebody else."""
    first = notifications[0]
    if first.activity_id is None or first.address == first.person.email:
        return
    for notification in notifications:
        notification.address = first.person.email
    Notification.objects.filter(pk__in=[row.pk for row in notifications]).update(address=first.address)


def _send(ready: ReadyMail, connection: BaseEmailBackend) -> bool:
    """Sends an email and saves the result. Returns whether the provider accepted it."""
    try:
        with _time_limit(SEND_SECONDS):
            connection.open()  # no-op if it is open: one connection serves many emails
            connection.send_messages([ready.mail])
    except DatabaseError:
        raise
    except Exception as error:
        connection.close()
        _refused(ready, error)
        return False
    provider_id = _provider_id(ready.mail)
    done = {"state": State.SENT, "sent_at": clock.now(), "provider_id": provider_id, "last_error": ""}
    finish(ready.notifications, **done)
    pause.answered(ready.paused, takes_mail=True)
    return True


def _provider_id(mail: EmailMessage) -> str:
    """The provider's id of an accepted email; "" if it is invalid.

    If saving an invalid id failed, the email would be sent again and again.
    """
    status = getattr(mail, "anymail_status", None)
    name = status.message_id if status else ""
    return name if is_id(name) else ""


def _refused(ready: ReadyMail, error: Exception) -> None:
    """Handles a failed attempt: the outbox pauses, this email waits, or it has failed for good."""
    status = getattr(error, "status_code", None) if isinstance(error, AnymailError) else None
    words, notifications = failures.in_words(error), ready.notifications
    if status == 429:
        period = pause.wait_of(error.response.headers.get("Retry-After"))
        until = pause.begin(period, Reason.THROTTLED, seen=ready.paused)
        wait(notifications, until=until, last_error=words, counts=False)
    elif status in REJECTED_ACCOUNT:
        logger.error("The mail provider refuses us (%s). All mail waits: check key and domain.", status)
        until = pause.begin(pause.KEY_PAUSE, Reason.REFUSED, seen=ready.paused)
        wait(notifications, until=until, last_error=words, counts=False)
    elif status == 400 or (isinstance(error, AnymailError) and not isinstance(error, AnymailAPIError)):
        finish(notifications, state=State.FAILED, last_error=words)
    else:
        if not isinstance(error, AnymailRequestsAPIError | SendTimeout | OSError):
            logger.exception("Notification %s could not be sent.", notifications[0].pk)
        _try_later(notifications, words)
    if isinstance(error, NO_ANSWER):
        pause.unanswered(ready.paused)
    elif status and status not in PAUSES:
        pause.answered(ready.paused, takes_mail=status == 400)


def _try_later(notifications: list[Notification], words: str) -> None:
    """Schedules the next attempt, later each time. After the last attempt the email has failed."""
    attempts = notifications[0].attempts
    if attempts >= MOST_ATTEMPTS:
        logger.error("Notification %s failed for the last time: %s", notifications[0].pk, words)
        finish(notifications, state=State.FAILED, last_error=words)
        return
    spread = secrets.SystemRandom().uniform(1 - SPREAD, 1 + SPREAD)
    until = clock.now() + timedelta(minutes=RETRY_MINUTES[attempts - 1] * spread)
    wait(notifications, until=until, last_error=words)


def _may_still_be_notified(notification: Notification) -> bool:
    """Checks again whether the person may get this email, because permissions may have changed."""
    person = notification.person
    if notification.kind == CANARY:
        return True
    if person is None or not person.is_active:
        return False
    if notification.kind == HANDED_OVER:
        return person.works and audiences.is_reachable(person)
    if notification.kind == WEEKLY_REPORT:
        return weekly_report.may_get(person)
    if notification.activity_id is None:
        return True
    return audiences.may_still_be_notified(person, notification.reason, notification.activity)


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Raises SendTimeout after `seconds`. Works only in the main thread, where a worker sends."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(signum, frame):
        raise SendTimeout(f"The mail provider took longer than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
