"""Takes mail out of the outbox and sends it; the only caller of send.

A worker claims one mail (see claiming): what one act, or a day, tells one person. The claim counts the
attempt. The worker sends outside any transaction and writes down what came of it.
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
from tickets.models import Notification, OutboxPause, SuppressedAddress
from tickets.models.notification import CANARY, HANDED_OVER
from tickets.notifications import messages, pause, rules
from tickets.notifications.claiming import claim, finish, give_back, wait
from tickets.notifications.guard import UnsafeMail

logger = logging.getLogger(__name__)
State, Reason = Notification.State, OutboxPause.Reason

SEND_SECONDS = 10  # for a provider that answers byte by byte: its read timeout never comes
RETRY_MINUTES = (1, 5, 15, 60, 180, 360, 720, 1440)
SPREAD = 0.2
NOT_OUR_MAIL_TO_BLAME = (401, 402, 403, 404)  # the key, the account or the domain is refused
PAUSES = (429, *NOT_OUR_MAIL_TO_BLAME)


class SendTimeout(Exception):
    """The provider took longer than SEND_SECONDS in all."""


NO_ANSWER = (SendTimeout, TimeoutError, ConnectionError, requests.Timeout, requests.ConnectionError)


@dataclass(frozen=True)
class Letter:
    """A mail that is ready to leave, and the rows it tells of, which are leased to us.

    `paused` is the state of the outbox in which it leaves: this mail may be the trial after a pause.
    """

    notifications: list[Notification]
    mail: EmailMessage
    paused: OutboxPause


def deliver_due(*, should_stop: Callable[[], bool] = lambda: False, helper: Executor | None = None) -> int:
    """Sends what is due until nothing is, or the outbox pauses. Returns the number of mails that left.

    With `helper` the next mail is made in its thread while this one is at the provider. One mail at a time
    is there, and what came of it is written down before the next: a worker that is killed repeats one.
    """
    sent = 0
    with closing(get_connection()) as connection:
        letter = _next_letter(should_stop)
        while letter:
            coming = helper.submit(_next_letter, should_stop) if helper else None
            left = _send(letter, connection)
            sent += left
            letter = coming.result() if coming else None
            if letter and (should_stop() or (not left and pause.is_on())):
                give_back(letter.notifications)
                break
            # What a helper didn't find may have waited for the mail before it.
            letter = letter or _next_letter(should_stop)
    return sent


def _next_letter(should_stop: Callable[[], bool]) -> Letter | None:
    """The next mail that is due, claimed and made; None when there is none now."""
    while not should_stop():
        now, paused = clock.now(), pause.state()
        notifications = [] if paused.is_on(now) else claim(now)
        if not notifications:
            return None
        letter = _make(notifications, paused)
        if letter is None:
            continue
        if paused.until and not pause.take_trial(paused):
            give_back(letter.notifications)
            return None
        return letter
    return None


def _make(notifications: list[Notification], paused: OutboxPause) -> Letter | None:
    """The mail of the claimed rows; None where it must not leave, and the rows say why."""
    for row in notifications:  # all are to one person, whose rights are asked once
        row.person = notifications[0].person
    told = list(filter(_may_still_be_told, notifications))
    if untold := [row for row in notifications if row not in told]:
        finish(untold, state=State.SUPPRESSED, last_error=_("This person may not be told any more."))
    if not told:
        return None
    _follow(told)
    suppressed = SuppressedAddress.objects.filter(address=told[0].address.lower()).first()
    if suppressed:
        finish(told, state=State.SUPPRESSED, last_error=suppressed.words)
        return None
    try:
        return Letter(told, messages.build(told), paused)
    except DatabaseError:
        raise  # the lease runs out, and the mail is tried again
    except UnsafeMail as error:
        finish(told, state=State.FAILED, last_error=str(error))
    except Exception as error:
        logger.exception("Notification %s could not be written.", told[0].pk)
        _try_later(told, _words(error))
    return None


def _follow(notifications: list[Notification]) -> None:
    """News of tickets goes where its reader is now: who reads at an address of before may be anybody."""
    first = notifications[0]
    if first.activity_id is None or first.address == first.person.email:
        return
    for notification in notifications:
        notification.address = first.person.email
    Notification.objects.filter(pk__in=[row.pk for row in notifications]).update(address=first.address)


def _send(letter: Letter, connection: BaseEmailBackend) -> bool:
    """Sends a mail and writes down what came of it. Returns whether it left."""
    try:
        with _time_limit(SEND_SECONDS):
            connection.open()  # unless it is open: one connection for many mails
            connection.send_messages([letter.mail])
    except DatabaseError:
        raise
    except Exception as error:
        connection.close()
        _refused(letter, error)
        return False
    status = getattr(letter.mail, "anymail_status", None)
    provider_id = str(status.message_id or "") if status else ""
    done = {"state": State.SENT, "sent_at": clock.now(), "provider_id": provider_id, "last_error": ""}
    finish(letter.notifications, **done)
    pause.answered(letter.paused, takes_mail=True)
    return True


def _refused(letter: Letter, error: Exception) -> None:
    """Decides what a failed send means: the whole outbox waits, this mail waits, or it has failed."""
    status = getattr(error, "status_code", None) if isinstance(error, AnymailError) else None
    words, notifications = _words(error), letter.notifications
    if status == 429:
        period = pause.asked_for(error.response.headers.get("Retry-After"))
        until = pause.begin(period, Reason.THROTTLED, seen=letter.paused)
        wait(notifications, until=until, last_error=words, counts=False)
    elif status in NOT_OUR_MAIL_TO_BLAME:
        logger.error("The mail provider refuses us (%s). All mail waits: check key and domain.", status)
        until = pause.begin(pause.KEY_PAUSE, Reason.REFUSED, seen=letter.paused)
        wait(notifications, until=until, last_error=words, counts=False)
    elif status == 400 or (isinstance(error, AnymailError) and not isinstance(error, AnymailAPIError)):
        finish(notifications, state=State.FAILED, last_error=words)
    else:
        if not isinstance(error, AnymailRequestsAPIError | SendTimeout | OSError):
            logger.exception("Notification %s could not be sent.", notifications[0].pk)
        _try_later(notifications, words)
    if isinstance(error, NO_ANSWER):
        pause.unanswered(letter.paused)
    elif status and status not in PAUSES:
        pause.answered(letter.paused, takes_mail=status == 400)


def _try_later(notifications: list[Notification], words: str) -> None:
    """The mail waits longer after each attempt; after the last it has failed."""
    attempts = notifications[0].attempts
    if attempts > len(RETRY_MINUTES):
        logger.error("Notification %s failed for the last time: %s", notifications[0].pk, words)
        finish(notifications, state=State.FAILED, last_error=words)
        return
    spread = secrets.SystemRandom().uniform(1 - SPREAD, 1 + SPREAD)
    until = clock.now() + timedelta(minutes=RETRY_MINUTES[attempts - 1] * spread)
    wait(notifications, until=until, last_error=words)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:1000]


def _may_still_be_told(notification: Notification) -> bool:
    """Rights may have changed between the act and now."""
    person = notification.person
    if notification.kind == CANARY:
        return True
    if person is None or not person.is_active:
        return False
    if notification.kind == HANDED_OVER:
        return person.works and rules.is_reachable(person)
    if notification.activity_id is None:
        return True
    return rules.may_still_be_told(person, notification.reason, notification.activity)


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Raises SendTimeout after `seconds`. Only in the main thread, which is where a worker sends."""
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
