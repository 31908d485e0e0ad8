"""Saves the outcome of an attempt in the rows, the pause of the sender and the state of the mailbox."""

import logging
import secrets
from datetime import timedelta

from helpdesk import clock
from tickets.mail import pause
from tickets.mail.sending import breaker, mailbox_health
from tickets.mail.sending.claiming import finish, wait
from tickets.mail.sending.delivery_events import suppress
from tickets.mail.sending.ready_mail import ReadyMail
from tickets.mail.sending.transports.outcome import Accepted, Later, Never, Outcome, SenderRefused, Slow
from tickets.models import MailboxState, Notification, OutboxPause, SuppressedAddress

logger = logging.getLogger(__name__)
State, Reason, Health = Notification.State, OutboxPause.Reason, MailboxState.Health
RETRY_MINUTES = (1, 5, 15, 60, 180, 360, 720, 1440)
MOST_ATTEMPTS = len(RETRY_MINUTES) + 1
SPREAD = 0.2


def record(ready: ReadyMail, outcome: Outcome) -> None:
    RECORDERS[type(outcome)](ready, outcome)


def _accepted(ready: ReadyMail, outcome: Accepted) -> None:
    now = clock.now()
    values = {"provider_id": outcome.provider_id, "last_error": outcome.words}
    if ready.mailbox:
        values["mailbox"] = ready.mailbox  # the row may have named none, or one that is inactive
    finish(ready.notifications, state=State.SENT, sent_at=now, **values)
    pause.accepted(ready.paused)
    if outcome.wait:
        pause.begin(outcome.wait, Reason.THROTTLED, seen=ready.paused)
    mailbox_health.works(ready.mailbox, now)


def _later(ready: ReadyMail, outcome: Later) -> None:
    try_later(ready.notifications, outcome.words, wait_for=outcome.wait)
    if outcome.heard is False:
        pause.unanswered(ready.paused)
        mailbox_health.fails(ready.mailbox, Health.UNREACHABLE, outcome.words)
    elif outcome.heard:
        pause.answered(ready.paused, takes_mail=False)


def _slow(ready: ReadyMail, outcome: Slow) -> None:
    until = pause.begin(outcome.wait, Reason.THROTTLED, seen=ready.paused)
    wait(ready.notifications, until=until, last_error=outcome.words, counts=False)
    mailbox_health.fails(ready.mailbox, Health.SLOW, outcome.words)


def _refused(ready: ReadyMail, outcome: SenderRefused) -> None:
    sender = ready.mailbox or "The mail provider"
    logger.error("%s refuses us (%s). All its mail waits.", sender, outcome.words)
    until = pause.begin(outcome.wait, Reason.REFUSED, seen=ready.paused)
    wait(ready.notifications, until=until, last_error=outcome.words, counts=False)
    mailbox_health.fails(ready.mailbox, Health.REFUSED, outcome.words)


def _never(ready: ReadyMail, outcome: Never) -> None:
    finish(ready.notifications, state=State.FAILED, last_error=outcome.words)
    if outcome.suppress:
        suppress(ready.notifications[0], SuppressedAddress.Reason.BOUNCED, outcome.words)
    if not breaker.trips(ready, outcome) and outcome.heard:
        pause.answered(ready.paused, takes_mail=True)


RECORDERS = {Accepted: _accepted, Later: _later, Slow: _slow, SenderRefused: _refused, Never: _never}


def try_later(notifications: list[Notification], words: str, *, wait_for: timedelta | None = None) -> None:
    """Schedules the next attempt: in `wait_for`, or later each time. After the last the email has failed."""
    attempts = notifications[0].attempts
    if attempts >= MOST_ATTEMPTS:
        logger.error("Notification %s failed for the last time: %s", notifications[0].pk, words)
        finish(notifications, state=State.FAILED, last_error=words)
        return
    spread = secrets.SystemRandom().uniform(1 - SPREAD, 1 + SPREAD)
    until = clock.now() + (wait_for or timedelta(minutes=RETRY_MINUTES[attempts - 1] * spread))
    wait(notifications, until=until, last_error=words)
