"""Sends the emails of the outbox. No other module sends.

A worker claims the rows of one email (see claiming), which counts an attempt. It sends the email outside of
any transaction and records the result.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import closing

from django.db import DatabaseError
from django.utils.translation import gettext as _

from helpdesk import clock
from tickets.mail import failures, pause
from tickets.mail.guard import UnsafeMail
from tickets.mail.sending import results
from tickets.mail.sending.claiming import claim, finish, give_back
from tickets.mail.sending.ready_mail import ReadyMail
from tickets.mail.sending.results import MOST_ATTEMPTS, RETRY_MINUTES  # noqa: F401
from tickets.mail.sending.senders import Senders, number_of
from tickets.mail.sending.time_limit import SendTimeout, time_limit
from tickets.mail.sending.transports.outcome import Accepted, Later
from tickets.mail.writing import messages
from tickets.models import Mailbox, Notification, OutboxPause, SuppressedAddress
from tickets.models.notification import HANDED_OVER, WEEKLY_REPORT, WITHOUT_PERSON
from tickets.notifications import audiences, weekly_report

logger = logging.getLogger(__name__)
State = Notification.State
SEND_SECONDS = 10


def deliver_due(*, should_stop: Callable[[], bool] = lambda: False, helper: Executor | None = None) -> int:
    """Sends due emails until none is left or the outbox pauses. Returns the number of sent emails.

    `helper` builds the next email in its thread while the current one is sent. Only one email at a time is
    sent, and its result is saved before the next, so a killed worker repeats at most one.
    """
    sent = 0
    with closing(Senders()) as senders:
        ready = _next_mail(should_stop, senders)
        while ready:
            coming = helper.submit(_next_mail, should_stop, senders) if helper else None
            left = _send(ready, senders)
            sent += left
            ready = coming.result() if coming else None
            if ready and should_stop():
                give_back(ready.notifications)
                break
            if ready and not left:
                ready = _unless_paused(ready)
            # A row that waited for the previous email may be due now.
            ready = ready or _next_mail(should_stop, senders)
    return sent


def _unless_paused(ready: ReadyMail) -> ReadyMail | None:
    """Gives the email back if its sender has paused since it was claimed."""
    paused = pause.state(number_of(ready.mailbox))
    if paused.is_on(clock.now()) and paused.until != ready.paused.until:
        give_back(ready.notifications)
        return None
    ready.paused.rejected = paused.rejected  # it was claimed before the failure
    return ready


def _next_mail(should_stop: Callable[[], bool], senders: Senders | None = None) -> ReadyMail | None:
    """Claims and builds the next due email; None if there is none."""
    senders = senders or Senders()
    while not should_stop():
        now, pauses = clock.now(), pause.states()
        may_leave = senders.not_of([number for number, paused in pauses.items() if paused.is_on(now)])
        notifications = [] if may_leave is None else claim(now, may_leave)
        if not notifications:
            return None
        mailbox = senders.mailbox_of(notifications[0])
        number = number_of(mailbox)
        ready = _make(notifications, mailbox, pauses.get(number) or OutboxPause(number=number))
        if ready is None:
            continue
        if ready.paused.until and not pause.take_trial(ready.paused):
            give_back(ready.notifications)
            continue  # another worker has the trial; other senders may be free
        return ready
    return None


def _make(
    notifications: list[Notification], mailbox: Mailbox | None, paused: OutboxPause
) -> ReadyMail | None:
    """Builds the email of claimed rows. If it must not be sent, saves the reason and returns None."""
    if notifications[0].attempts > MOST_ATTEMPTS:
        logger.error("Notification %s ended its worker each time and is given up.", notifications[0].pk)
        finish(notifications, state=State.FAILED, last_error=_("The worker stopped at each attempt."))
        return None
    for row in notifications:  # one instance of the person, which caches permissions
        row.person, row.mailbox = notifications[0].person, mailbox
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
        return ReadyMail(sendable, messages.build(sendable), mailbox, paused)
    except DatabaseError:
        raise  # the lease expires, and the email is tried again
    except UnsafeMail as error:
        logger.error("An email to %r can't be sent: %s", sendable[0].address, error)
        finish(sendable, state=State.FAILED, last_error=str(error))
    except Exception as error:
        logger.exception("Notification %s could not be written.", sendable[0].pk)
        results.try_later(sendable, failures.in_words(error))
    return None


def _use_current_address(notifications: list[Notification]) -> None:
    """Sends news about tickets to the person's current address; the old one may belong to somebody else."""
    first = notifications[0]
    if first.activity_id is None or first.address == first.person.email:
        return
    for notification in notifications:
        notification.address = first.person.email
    Notification.objects.filter(pk__in=[row.pk for row in notifications]).update(address=first.address)


def _send(ready: ReadyMail, senders: Senders) -> bool:
    """Sends an email and saves the result. Returns whether the server accepted it."""
    transport = senders.transport_of(ready.mailbox)
    try:
        with time_limit(SEND_SECONDS, cut=transport.cut):
            # open() does nothing if it is open: one connection serves many emails.
            outcome = transport.open() or transport.send(ready.mail, again=ready.may_have_left)
    except DatabaseError:
        raise
    except Exception as error:
        senders.disconnect(ready.mailbox)
        _refused(ready, error)
        return False
    is_sent = isinstance(outcome, Accepted)
    if not is_sent:
        senders.disconnect(ready.mailbox)
    results.record(ready, outcome)
    return is_sent


def _refused(ready: ReadyMail, error: Exception) -> None:
    """Handles an attempt that was interrupted: by the time limit, or by a defect of the transport."""
    is_late = isinstance(error, SendTimeout | TimeoutError)
    if not is_late:
        logger.error("Notification %s could not be sent.", ready.notifications[0].pk, exc_info=error)
    results.record(ready, Later(failures.in_words(error), heard=False if is_late else None))


def _may_still_be_notified(notification: Notification) -> bool:
    """Checks again whether the person may get this email, because permissions may have changed."""
    person = notification.person
    if notification.kind in WITHOUT_PERSON:
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
