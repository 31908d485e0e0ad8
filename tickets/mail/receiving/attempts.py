"""Attempts to process a message, and when the next one is due.

An attempt is counted before the message is parsed, so that a message which kills the process is noticed.
"""

import logging
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet

from helpdesk import clock
from tickets.mail import failures
from tickets.models import InboundEmail
from tickets.storage.access import StoreUnavailable

logger = logging.getLogger(__name__)
State, Reason = InboundEmail.State, InboundEmail.Reason
ATTEMPTS = 3
# Errors that the message does not cause: the attempt does not count, and the message waits.
NOT_ITS_FAULT = (OperationalError, InterfaceError, StoreUnavailable)
# Longer than any message takes. If an attempt has no result after this time, its process has died.
AT_MOST = timedelta(minutes=5)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
# A message itself can cause a database error (a text too long to index, a statement that takes too long).
# After this time a database error counts as an attempt. An error of the attachment storage never does.
PATIENCE = timedelta(days=2)


@transaction.atomic
def begin(pk: int) -> tuple[InboundEmail, bool]:
    """Counts an attempt. Returns the message, and whether the caller has to process it.

    The caller does nothing if the message is processed, or if another process is at its last attempt. If the
    last attempt has ended without a result, the message becomes FAILED.
    """
    email = InboundEmail.objects.without_raw().select_for_update().get(pk=pk)
    now = clock.now()
    is_last_under_way = email.attempts >= ATTEMPTS and email.next_try_at and email.next_try_at > now
    if email.state != State.RECEIVED or is_last_under_way:
        return email, False
    if email.attempts < ATTEMPTS:
        email.attempts += 1
        email.next_try_at = now + AT_MOST
    else:
        logger.error("Mail %s ended its process %s times and is given up.", email.pk, email.attempts)
        _give_up(email, Reason.INTERRUPTED)
    _save(email)
    return email, email.state == State.RECEIVED


def due() -> QuerySet[InboundEmail]:
    """The messages that are due, untried ones first, so that failing messages delay no other."""
    emails = InboundEmail.objects.filter(state=State.RECEIVED)
    emails = emails.filter(Q(next_try_at=None) | Q(next_try_at__lte=clock.now()))
    return emails.order_by(F("next_try_at").asc(nulls_first=True), "pk")


def failed(pk: int, error: Exception) -> InboundEmail:
    """Saves the error of an attempt. The message waits for the next, or becomes FAILED after the last."""
    with transaction.atomic():
        email = _failed(pk, error)
        if email.state == State.RECEIVED:
            if email.attempts >= ATTEMPTS:
                _give_up(email, Reason.ERROR)
            email.next_try_at = clock.now() + _pause(email)
            _save(email)
    return email


def excused(pk: int, error: Exception) -> None:
    """Uncounts an attempt that failed with one of NOT_ITS_FAULT, within PATIENCE."""
    try:
        with transaction.atomic():
            email = _failed(pk, error)
            if email.state != State.RECEIVED:
                return
            is_patient = clock.now() - email.received_at < PATIENCE
            if is_patient or isinstance(error, StoreUnavailable):
                email.attempts = max(email.attempts - 1, 0)
            elif email.attempts >= ATTEMPTS:
                _give_up(email, Reason.ERROR)
            email.next_try_at = clock.now() + _pause(email)
            _save(email)
    except (DatabaseError, InterfaceError):
        logger.warning("The database does not take that mail %s waits; it is tried again anyway.", pk)


def _failed(pk: int, error: Exception) -> InboundEmail:
    email = InboundEmail.objects.without_raw().select_for_update().get(pk=pk)
    if email.state == State.RECEIVED:
        email.detail = failures.in_words(error)
    return email


def _give_up(email: InboundEmail, reason: str) -> None:
    email.state, email.reason, email.handled_at = State.FAILED, reason, clock.now()


def _pause(email: InboundEmail) -> timedelta:
    """The time the message has waited so far, so that each pause is twice the previous one."""
    return min(max(clock.now() - email.received_at, FIRST_PAUSE), LONGEST_PAUSE)


def _save(email: InboundEmail) -> None:
    email.save(update_fields=["attempts", "next_try_at", "detail", "state", "reason", "handled_at"])
