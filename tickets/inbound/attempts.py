"""How often a mail is tried, and when again.

An attempt is counted before anything is read, so a mail that ends the process each time is noticed too.
"""

import logging
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import F, Q, QuerySet

from helpdesk import clock
from tickets.models import InboundEmail
from tickets.storage.access import StoreUnavailable

logger = logging.getLogger(__name__)
State, Reason = InboundEmail.State, InboundEmail.Reason
ATTEMPTS = 3
# What fails with one of these is no fault of the mail: the attempt does not count, and the mail waits.
NOT_ITS_FAULT = (OperationalError, InterfaceError, StoreUnavailable)
# Longer than any mail takes. Who counted an attempt and says nothing for so long has died.
AT_MOST = timedelta(minutes=5)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
# The database refuses some mails for what they are (a text too long to index, a statement that takes too
# long). After this time such a failure counts like any other. The attachment store refuses none for its sake.
PATIENCE = timedelta(days=2)


@transaction.atomic
def begin(pk: int) -> tuple[InboundEmail, bool]:
    """The mail with one more attempt, and whether there is something to do.

    Nothing where it is handled, or where others are at its last attempt. Where that one ended without a word,
    the mail is given up.
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
    """What may be tried: first what never was, so mails that fail hold up no other."""
    emails = InboundEmail.objects.filter(state=State.RECEIVED)
    emails = emails.filter(Q(next_try_at=None) | Q(next_try_at__lte=clock.now()))
    return emails.order_by(F("next_try_at").asc(nulls_first=True), "pk")


def failed(pk: int, error: Exception) -> InboundEmail:
    """Keeps why an attempt failed. The mail waits for the next, or after the last it is FAILED."""
    with transaction.atomic():
        email = _failed(pk, error)
        if email.state == State.RECEIVED:
            if email.attempts >= ATTEMPTS:
                _give_up(email, Reason.ERROR)
            email.next_try_at = clock.now() + _pause(email)
            _save(email)
    return email


def excused(pk: int, error: Exception) -> None:
    """Takes an attempt back that failed through no fault of the mail, as long as that can be believed."""
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
        email.detail = f"{type(error).__name__}: {error}".replace("\0", "")[:1000]
    return email


def _give_up(email: InboundEmail, reason: str) -> None:
    email.state, email.reason, email.handled_at = State.FAILED, reason, clock.now()


def _pause(email: InboundEmail) -> timedelta:
    """As long as the mail has waited so far, so each pause is twice the one before."""
    return min(max(clock.now() - email.received_at, FIRST_PAUSE), LONGEST_PAUSE)


def _save(email: InboundEmail) -> None:
    email.save(update_fields=["attempts", "next_try_at", "detail", "state", "reason", "handled_at"])
