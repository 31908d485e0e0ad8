"""Makes of a mail what decisions.decide() or staff say, after it is stored.

A mail is read before any transaction, because reading may take seconds, and filed once, in one transaction.
One at which our code fails is tried three times, then it is kept for staff (state FAILED); nothing is lost.
"""

import logging
import time
from dataclasses import replace
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.actor import acting_as
from accounts.validators import validate_address, without_hidden
from tickets.inbound import attempts, filing, parsing
from tickets.inbound.attempts import ATTEMPTS, NOT_ITS_FAULT
from tickets.inbound.decisions import (
    Decision,
    Reason,
    State,
    account_of,
    decide,
    decide_for_staff,
    is_to_be_told,
    person_of,
)
from tickets.inbound.parsing import Mail, TooComplex
from tickets.inbound.plain_text import one_line
from tickets.inbound.storing import store
from tickets.models import BlockedSender, Comment, InboundEmail, Ticket
from tickets.notifications import outbox

logger = logging.getLogger(__name__)
UNDECIDED = (State.QUARANTINED, State.FAILED, State.IGNORED)
MOST_LEFT_OVER = 100
LONGEST_RUN = timedelta(seconds=30)  # of what is left over; the worker has mail to deliver too


class CannotDecide(Exception):
    """What staff want can't come of this mail; the message says why."""


def receive(
    raw: bytes, *, route: str, provider_id: str = "", envelope_sender: str = "", recipient: str = ""
) -> InboundEmail:
    """Stores a mail and handles it. What came in before is neither stored nor handled again.

    Raises what our code raises on it, until the third attempt: whoever delivers it tries again. Where it
    comes back RECEIVED, others are at work on it, and the worker takes it over if they die.
    """
    email = store(
        raw,
        route=route,
        provider_id=provider_id[:200],
        envelope_sender=_address(envelope_sender),
        recipient=_address(recipient),
    )
    return handle(email) if email.state == State.RECEIVED else email


def handle(email: InboundEmail) -> InboundEmail:
    """Makes of a stored mail what must come of it, once. Raises like receive()."""
    begun, is_ours = attempts.begin(email.pk)
    if not is_ours:
        return begun
    try:
        return _handle(begun, mail=_read(bytes(email.raw)))
    except NOT_ITS_FAULT as error:
        attempts.excused(begun.pk, error)
        raise
    except Exception as error:
        logger.exception("Mail %s could not be handled.", begun.pk)
        email = attempts.failed(begun.pk, error)
        if email.state == State.RECEIVED:
            raise
        return email


def handle_left_over(before) -> int:
    """Handles what was stored before that moment and no more: its process died. Returns the number.

    Raises where the connection to the database is lost.
    """
    due = attempts.due().filter(received_at__lt=before)
    numbers = list(due.values_list("pk", flat=True)[:MOST_LEFT_OVER])
    end, done = time.monotonic() + LONGEST_RUN.total_seconds(), 0
    for number in numbers:
        if time.monotonic() > end:
            break
        try:
            handle(InboundEmail.objects.without_raw().get(pk=number))
        except Exception:
            if not connection.is_usable():
                raise
            logger.info("Mail %s is tried once more later.", number)
        done += 1
    return done


# What staff decide
def replay(email: InboundEmail, *, by) -> InboundEmail:
    """Handles a mail anew, once, as if it came in now. Raises CannotDecide where it is filed already."""
    with transaction.atomic():
        email = _undecided(email)
        email.reason, email.detail, email.attempts = "", "", ATTEMPTS - 1
        email.state, email.handled_by, email.next_try_at = State.RECEIVED, by, None
        email.save()
    return handle(email)


def release(email: InboundEmail, *, by) -> InboundEmail:
    """Takes a mail for what it says it is. Raises CannotDecide where nobody here has the sender's address."""
    mail = opened(email)
    with transaction.atomic():
        email = _undecided(email)
        decision = decide_for_staff(email, mail)
        if decision.person is None:
            raise CannotDecide(_("Nobody here has this address. You can create a ticket."))
        return _file(email, mail, decision, by=by)


def make_ticket(email: InboundEmail, *, by, invites: str | None = None) -> InboundEmail:
    """Makes a new ticket of a mail; an unknown sender gets an account, and is asked to choose a password.

    `invites` is the address whose account the page announced, or "" where it announced none. Any other
    account raises CannotDecide. None: nothing was announced, as in a shell.
    """
    mail = opened(email)
    with transaction.atomic():
        email = _undecided(email)
        if why := refusal_of_ticket(mail):
            raise CannotDecide(why)
        decision = decide_for_staff(email, mail, is_new=True)
        if decision.person is None:
            if invites not in (None, mail.sender):
                raise CannotDecide(_("This would create an account. Check for whom, then try again."))
            with acting_as(by):
                person = invitations.invite(mail.sender, full_name=name_of_sender(mail))
            decision = replace(decision, person=person)
        return _file(email, mail, decision, by=by)


def attach(email: InboundEmail, ticket: Ticket, *, by) -> InboundEmail:
    """Puts a mail on a ticket: as the sender's reply where the sender may answer there, else as a note.

    Nothing is said in the name of staff that does not come from them.
    """
    mail = opened(email)
    with transaction.atomic():
        email = _undecided(email)
        return _file(email, mail, decide_for_staff(email, mail, on=ticket), by=by)


@transaction.atomic
def discard(email: InboundEmail, *, by) -> InboundEmail:
    """Nothing comes of the mail. It stays in the list of all mail."""
    return _ended(_undecided(email), State.IGNORED, Reason.DISCARDED, by=by)


def block(email: InboundEmail, *, by) -> InboundEmail:
    """Discards the mail, and every later one from its sender.

    Raises CannotDecide for the address of somebody here: who forges it must not silence them.
    """
    mail = opened(email)
    if not mail.sender:
        raise CannotDecide(_("The mail has no sender who could be blocked."))
    with transaction.atomic():
        email = _undecided(email)
        if person_of(mail.sender):
            raise CannotDecide(_("Somebody here has this address. You can discard the mail."))
        BlockedSender.objects.get_or_create(address=mail.sender, defaults={"blocked_by": by})
        logging.getLogger("security").info("Person %s blocked mail from %s.", by.pk, mail.sender)
        return _ended(email, State.IGNORED, Reason.BLOCKED, by=by)


def opened(email: InboundEmail) -> Mail:
    """What stands in a mail, for staff. Raises CannotDecide where it can't be opened.

    Takes time, so it holds no lock. What ended the process of whoever read it is not read again on a page.
    """
    closed = _("This email can't be opened. You can download it.")
    if email.reason == Reason.INTERRUPTED:
        raise CannotDecide(closed)
    try:
        return parsing.parse(bytes(email.raw))
    except TooComplex as error:
        raise CannotDecide(closed) from error
    except Exception as error:
        logger.exception("Mail %s could not be opened.", email.pk)
        raise CannotDecide(closed) from error


def refusal_of_ticket(mail: Mail) -> str:
    """Why no ticket can be made of a mail, or ""."""
    try:
        validate_address(mail.sender)
    except ValidationError:
        return _("The email has no sender who could be answered.")
    account = account_of(mail.sender)
    return _("The sender's account is deactivated.") if account and not account.is_active else ""


def name_of_sender(mail: Mail) -> str:
    """What an account for the sender is called."""
    return (without_hidden(mail.sender_name).strip() or mail.sender.partition("@")[0])[:150]


def _read(raw: bytes) -> Mail | TooComplex:
    try:
        return parsing.parse(raw)
    except TooComplex as error:
        return error


@transaction.atomic
def _handle(email: InboundEmail, *, mail: Mail | TooComplex) -> InboundEmail:
    email = InboundEmail.objects.without_raw().select_for_update().get(pk=email.pk)
    if email.state != State.RECEIVED:  # somebody else was faster
        return email
    if isinstance(mail, TooComplex):
        email.detail = str(mail)
        return _ended(email, State.FAILED, Reason.TOO_COMPLEX)
    email.sender, email.subject = mail.sender[:320], mail.subject[:150]
    decision = decide(email, mail)
    if decision.state == State.FILED and email.reason == Reason.REPEATED:
        decision = replace(decision, state=State.QUARANTINED, reason=Reason.REPEATED)
    if decision.state == State.FILED:
        return _file(email, mail, decision)
    email.detail, email.person, email.ticket = decision.detail, decision.person, decision.ticket
    if (sender := person_of(mail.sender)) and is_to_be_told(email, mail, decision):
        outbox.enqueue_held(sender)
    return _ended(email, decision.state, decision.reason)


def _file(email: InboundEmail, mail: Mail, decision: Decision, *, by=None) -> InboundEmail:
    person, ticket = decision.person, decision.ticket
    author = by if decision.is_quote else person
    with acting_as(author, source=Ticket.Source.EMAIL):
        if decision.is_quote:
            made = filing.quote(mail, email, author=author, ticket=ticket)
        elif ticket is None:
            made = filing.file_ticket(mail, email, requester=author)
        else:
            internal = decision.is_internal
            made = filing.say(mail, email, author=author, ticket=ticket, is_internal=internal)
    email.person = person
    is_comment = isinstance(made, Comment)
    email.comment = made if is_comment else None
    email.ticket = made.ticket if is_comment else made
    return _ended(email, State.FILED, by=by)


def _ended(email: InboundEmail, state: State, reason: str = "", *, by=None) -> InboundEmail:
    email.state, email.reason, email.handled_by, email.handled_at = state, reason, by, timezone.now()
    email.save()
    return email


def _undecided(email: InboundEmail) -> InboundEmail:
    """The mail, locked. Raises CannotDecide where it is filed."""
    email = InboundEmail.objects.without_raw().select_for_update().get(pk=email.pk)
    if email.state not in UNDECIDED:
        raise CannotDecide(_("This mail is filed already."))
    return email


def _address(text: str) -> str:
    return one_line(text, 320).strip("<>").lower()[:320]
