"""Makes of a mail what decisions.decide() or staff say, after it is stored.

Each mail is handled once, in one transaction. A mail at which our code fails is tried three times, then it is
kept for staff (state FAILED); nothing is lost.
"""

import logging
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.actor import acting_as
from accounts.validators import validate_address
from tickets.inbound import filing, parsing
from tickets.inbound.decisions import (
    Decision,
    Reason,
    State,
    decide,
    decide_for_staff,
    decide_for_ticket,
    is_proven,
    person_of,
)
from tickets.inbound.parsing import Mail, TooComplex
from tickets.inbound.plain_text import one_line
from tickets.inbound.storing import store
from tickets.models import BlockedSender, Comment, InboundEmail, Ticket

logger = logging.getLogger(__name__)
ATTEMPTS = 3
UNDECIDED = (State.QUARANTINED, State.FAILED, State.IGNORED)


class CannotDecide(Exception):
    """What staff want can't come of this mail; the message says why."""


def receive(
    raw: bytes, *, route: str, provider_id: str = "", envelope_sender: str = "", recipient: str = ""
) -> InboundEmail:
    """Stores a mail and handles it. What came in before is neither stored nor handled again.

    Raises what our code raises on it, until the third attempt: whoever delivers it tries again.
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
    try:
        with transaction.atomic():
            email = InboundEmail.objects.select_for_update().get(pk=email.pk)
            if email.state == State.RECEIVED:
                _handle(email)
    except (OperationalError, InterfaceError):
        raise  # no fault of the mail
    except Exception as error:
        email.attempts += 1
        email.detail = f"{type(error).__name__}: {error}"[:1000]
        if email.attempts >= ATTEMPTS:
            email.state, email.reason = State.FAILED, Reason.ERROR
        email.save(update_fields=["attempts", "detail", "state", "reason"])
        logger.exception("Mail %s could not be handled.", email.pk)
        if email.state == State.RECEIVED:
            raise
    return email


def handle_left_over(before) -> int:
    """Handles what was stored before that moment and no more: its process died. Returns the number."""
    left = InboundEmail.objects.filter(state=State.RECEIVED, received_at__lt=before)
    numbers = list(left.order_by("pk").values_list("pk", flat=True)[:100])
    for number in numbers:
        try:
            handle(InboundEmail(pk=number))
        except Exception:
            logger.info("Mail %s is tried once more later.", number)
    return len(numbers)


# What staff decide
def replay(email: InboundEmail, *, by) -> InboundEmail:
    """Handles a mail anew, once, as if it came in now. Raises CannotDecide where it is filed already."""
    with transaction.atomic():
        email = _undecided(email)
        email.reason, email.detail, email.attempts = "", "", ATTEMPTS - 1
        email.state, email.handled_by = State.RECEIVED, by
        email.save()
    return handle(email)


@transaction.atomic
def release(email: InboundEmail, *, by) -> InboundEmail:
    """Takes a mail for what it says it is. Raises CannotDecide where nobody here has the sender's address."""
    email, mail = _reopened(email)
    decision = decide_for_staff(email, mail)
    if decision.person is None:
        raise CannotDecide(_("Nobody here has this address. You can make a ticket of the mail."))
    return _file(email, mail, decision, by=by)


@transaction.atomic
def make_ticket(email: InboundEmail, *, by) -> InboundEmail:
    """Makes a new ticket of a mail; an unknown sender gets an account, and is asked to choose a password."""
    email, mail = _reopened(email)
    try:
        validate_address(mail.sender)
    except ValidationError as error:
        raise CannotDecide(_("The mail has no sender who could be answered.")) from error
    with acting_as(by):
        name = mail.sender_name or mail.sender.partition("@")[0]
        person = person_of(mail.sender) or invitations.invite(mail.sender, full_name=name[:150])
    if not person.is_active:
        raise CannotDecide(_("The sender may not log in any more."))
    return _file(email, mail, Decision(State.FILED, person=person), by=by)


@transaction.atomic
def attach(email: InboundEmail, ticket: Ticket, *, by) -> InboundEmail:
    """Puts a mail on a ticket: as the sender's reply where the sender may answer there, else as a note.

    Nothing is said in the name of staff that does not come from them.
    """
    email, mail = _reopened(email)
    person = person_of(mail.sender)
    decision = decide_for_ticket(email, mail, person, ticket) if person else None
    if decision and decision.ticket and (is_proven(email, mail) or not person.is_staff):
        return _file(email, mail, decision, by=by)
    with acting_as(by, source=Ticket.Source.EMAIL):
        comment = filing.quote(mail, email, author=by, ticket=ticket)
    return _filed(email, comment, by=by)


@transaction.atomic
def discard(email: InboundEmail, *, by) -> InboundEmail:
    """Nothing comes of the mail. It stays in the list of all mail."""
    return _ended(_undecided(email), State.IGNORED, Reason.DISCARDED, by=by)


@transaction.atomic
def block(email: InboundEmail, *, by) -> InboundEmail:
    """Discards the mail, and every later one from its sender.

    Raises CannotDecide for the address of somebody here: who forges it must not silence them.
    """
    email, mail = _reopened(email)
    if not mail.sender:
        raise CannotDecide(_("The mail has no sender who could be blocked."))
    if person_of(mail.sender):
        raise CannotDecide(_("Somebody here has this address. You can discard the mail."))
    BlockedSender.objects.get_or_create(address=mail.sender, defaults={"blocked_by": by})
    logging.getLogger("security").info("Person %s blocked mail from %s.", by.pk, mail.sender)
    return _ended(email, State.IGNORED, Reason.BLOCKED, by=by)


def _handle(email: InboundEmail) -> None:
    try:
        mail = parsing.parse(bytes(email.raw))
    except TooComplex as error:
        email.detail = str(error)
        _ended(email, State.FAILED, Reason.TOO_COMPLEX)
        return
    email.sender, email.subject = mail.sender[:320], mail.subject[:150]
    decision = decide(email, mail)
    if decision.state == State.FILED and email.reason == Reason.REPEATED:
        decision = replace(decision, state=State.QUARANTINED, reason=Reason.REPEATED)
    if decision.state == State.FILED:
        _file(email, mail, decision)
        return
    email.detail, email.person, email.ticket = decision.detail, decision.person, decision.ticket
    _ended(email, decision.state, decision.reason)


def _file(email: InboundEmail, mail: Mail, decision: Decision, *, by=None) -> InboundEmail:
    person, ticket = decision.person, decision.ticket
    with acting_as(person, source=Ticket.Source.EMAIL):
        if ticket is None:
            made = filing.file_ticket(mail, email, requester=person)
        else:
            internal = decision.is_internal
            made = filing.say(mail, email, author=person, ticket=ticket, is_internal=internal)
    email.person = person
    return _filed(email, made, by=by)


def _filed(email: InboundEmail, made: Comment | Ticket, *, by) -> InboundEmail:
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
    email = InboundEmail.objects.select_for_update().get(pk=email.pk)
    if email.state not in UNDECIDED:
        raise CannotDecide(_("This mail is filed already."))
    return email


def _reopened(email: InboundEmail) -> tuple[InboundEmail, Mail]:
    """The mail, locked, and what stands in it. Raises CannotDecide where it is filed or can't be opened."""
    email = _undecided(email)
    try:
        return email, parsing.parse(bytes(email.raw))
    except TooComplex as error:
        raise CannotDecide(_("This mail can't be opened. You can download it.")) from error


def _address(text: str) -> str:
    return one_line(text, 320).strip("<>").lower()[:320]
