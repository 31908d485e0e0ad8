"""Processes a stored message as decisions.decide() or staff decide.

A message is parsed outside of any transaction, because parsing may take seconds, and filed once, in one
transaction. If our code fails three times, the message is kept for staff (state FAILED).
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import invitations
from accounts.actor import acting_as
from accounts.validators import is_blank, validate_address, without_hidden
from tickets.mail import known_domains
from tickets.mail.receiving import attempts, filing, notices, parsing, references
from tickets.mail.receiving.attempts import ATTEMPTS, NOT_ITS_FAULT
from tickets.mail.receiving.decisions import (
    Decision,
    Reason,
    State,
    account_of,
    decide,
    decide_for_staff,
    decide_on_confirmation,
    person_of,
)
from tickets.mail.receiving.limits import MAX_BYTES
from tickets.mail.receiving.parsing import Mail, TooComplex
from tickets.mail.receiving.plain_text import one_line
from tickets.mail.receiving.storing import store
from tickets.models import BlockedSender, Comment, InboundEmail, Mailbox, Ticket

logger = logging.getLogger(__name__)
UNDECIDED = (State.QUARANTINED, State.FAILED, State.IGNORED)
MOST_LEFT_OVER = 100
LONGEST_RUN = timedelta(seconds=30)  # of handle_left_over(), because the worker also sends emails


class CannotDecide(Exception):
    """The choice of staff is not possible. The message gives the reason."""


def receive(
    raw: bytes,
    *,
    route: str,
    provider_id: str = "",
    envelope_sender: str = "",
    recipient: str = "",
    mailbox: Mailbox | None = None,
    size: int | None = None,
    on_stored: Callable[[InboundEmail], object] = lambda email: None,
) -> InboundEmail:
    """Stores and processes a message, unless it was received before. `mailbox`: where it was fetched.

    `size` is that of the whole message where `raw` has only its headers. `on_stored` is called in the
    transaction that stores the message.

    Raises errors of our code until the third attempt, so that the sending server tries again. If the result
    is RECEIVED, another process is working on it, and the worker takes over if that process dies.
    """
    with transaction.atomic():
        email = store(
            raw,
            route=route,
            provider_id=provider_id[:200],
            envelope_sender=_address(envelope_sender),
            recipient=_address(recipient),
            mailbox=mailbox,
            size=len(raw) if size is None else size,
        )
        on_stored(email)
    return handle(email) if email.state == State.RECEIVED else email


def handle(email: InboundEmail) -> InboundEmail:
    """Processes a stored message once. Raises like receive()."""
    begun, is_ours = attempts.begin(email.pk)
    if not is_ours:
        return begun
    try:
        return _handle(begun, mail=_read(email))
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
    """Processes messages that were stored before `before` and whose process has died. Returns their number.

    Raises if the connection to the database is lost.
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


# Decisions of staff
def replay(email: InboundEmail, *, by) -> InboundEmail:
    """Processes a message again, as if it had just been received. Raises CannotDecide if it is filed."""
    with transaction.atomic():
        email = _undecided(email)
        email.reason, email.detail, email.attempts = "", "", ATTEMPTS - 1
        email.state, email.handled_by, email.next_try_at = State.RECEIVED, by, None
        email.save()
    return handle(email)


def release(email: InboundEmail, *, by) -> InboundEmail:
    """Accepts the sender of a message. Raises CannotDecide if the sender has no account."""
    mail = opened(email)
    with transaction.atomic():
        email = _undecided(email)
        decision = decide_for_staff(email, mail)
        if decision.person is None:
            raise CannotDecide(_("No one here has this address. You can create a ticket."))
        return _file(email, mail, decision, by=by)


def make_ticket(email: InboundEmail, *, by, invites: str | None = None) -> InboundEmail:
    """Creates a ticket from a message. An unknown sender gets an account and an invitation.

    `invites` is the address of the account that the page has announced, or "" for none. Raises CannotDecide
    if another account would be created. None skips this check, for use in a shell.
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
                decision = replace(decision, person=_invited(mail))
        return _file(email, mail, decision, by=by)


def attach(email: InboundEmail, ticket: Ticket, *, by) -> InboundEmail:
    """Adds a message to a ticket: as the sender's reply if the sender may reply there, else as a note.

    Never publishes an unauthenticated message under the name of a member of staff.
    """
    mail = opened(email)
    with transaction.atomic():
        email = _undecided(email)
        return _file(email, mail, decide_for_staff(email, mail, on=ticket), by=by)


def confirm(email: InboundEmail, *, person) -> InboundEmail:
    """Files a held reply as one by `person`, who confirms having sent it from another address.

    Raises CannotDecide if it does not wait for `person` any more.
    """
    mail = opened(email)
    with transaction.atomic():
        email = _undecided(email)
        decision = decide_on_confirmation(email, mail, person)
        if decision is None:
            raise CannotDecide(_("This email has already been handled."))
        return _file(email, mail, decision, by=person)


@transaction.atomic
def discard(email: InboundEmail, *, by) -> InboundEmail:
    """Discards the message. It stays in the list of all email."""
    return _ended(_undecided(email), State.IGNORED, Reason.DISCARDED, by=by)


def block(email: InboundEmail, *, by) -> InboundEmail:
    """Discards the message and all later ones from its sender.

    Raises CannotDecide if a person has this address, because the message may be forged.
    """
    mail = opened(email)
    if not mail.sender:
        raise CannotDecide(_("The email has no sender to block."))
    with transaction.atomic():
        email = _undecided(email)
        if person_of(mail.sender):
            raise CannotDecide(_("Someone here has this address. You can discard the email."))
        BlockedSender.objects.get_or_create(address=mail.sender, defaults={"blocked_by": by})
        logging.getLogger("security").info("Person %s blocked mail from %s.", by.pk, mail.sender)
        return _ended(email, State.IGNORED, Reason.BLOCKED, by=by)


def opened(email: InboundEmail) -> Mail:
    """Parses a message for staff. Raises CannotDecide if that fails.

    Parsing takes time, so no lock is held. A message that has killed its process is not parsed again.
    """
    closed = _("This email can't be opened. You can download it.")
    if email.reason == Reason.INTERRUPTED:
        raise CannotDecide(closed)
    try:
        check_whole(email)
        return parsing.parse(bytes(email.raw))
    except TooComplex as error:
        raise CannotDecide(closed) from error
    except Exception as error:
        logger.exception("Mail %s could not be opened.", email.pk)
        raise CannotDecide(closed) from error


def refusal_of_ticket(mail: Mail) -> str:
    """Why no ticket can be created from a message, or ""."""
    try:
        validate_address(mail.sender)
    except ValidationError:
        return _("The email has no sender to reply to.")
    account = account_of(mail.sender)
    return _("The sender's account is deactivated.") if account and not account.is_active else ""


def name_of_sender(mail: Mail) -> str:
    """The name for an account of the sender: the one in From, else the local part of the address."""
    name = without_hidden(mail.sender_name).strip()
    return (mail.sender.partition("@")[0] if is_blank(name) else name)[:150]


def _read(email: InboundEmail) -> Mail | TooComplex:
    try:
        check_whole(email)
        return parsing.parse(bytes(email.raw))
    except TooComplex as error:
        return error


def check_whole(email: InboundEmail) -> None:
    """Raises TooComplex for a message of which at most the headers were fetched."""
    if email.size > MAX_BYTES:
        most = MAX_BYTES // 1024 // 1024
        why = f"The mail is larger than {most} MB, or the server did not hand it out."
        raise TooComplex(f"{why} It is still in the mailbox; only its headers are here.")


@transaction.atomic
def _handle(email: InboundEmail, *, mail: Mail | TooComplex) -> InboundEmail:
    email = InboundEmail.objects.without_raw().select_for_update().get(pk=email.pk)
    if email.state != State.RECEIVED:  # another process was faster
        return email
    if isinstance(mail, TooComplex):
        email.detail = str(mail)
        return _ended(email, State.FAILED, Reason.TOO_COMPLEX)
    email.sender, email.subject = mail.sender[:320], mail.subject[:150]
    email.answers = next(iter(mail.references), "")[:255]
    decision = decide(email, mail)
    if decision.state == State.FILED and email.reason == Reason.REPEATED:
        decision = replace(decision, state=State.QUARANTINED, reason=Reason.REPEATED)
    if decision.state == State.FILED and decision.invites:
        decision = replace(decision, person=_invited(mail))
    if decision.state == State.FILED:
        return _file(email, mail, decision)
    email.detail, email.person, email.ticket = decision.detail, decision.person, decision.ticket
    notices.notify(email, mail, decision)
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
    if ticket is None:
        references.link(email.ticket, email, mail)
    return _ended(email, State.FILED, decision.reason, by=by)


def _invited(mail: Mail):
    """The sender, with an account. The receipt of the ticket invites to choose a password."""
    person = invitations.invite(mail.sender, full_name=name_of_sender(mail))
    known = known_domains.find(mail.sender)
    if known and known.department and not person.department:
        person.department = known.department
        person.save(update_fields=["department"])
    return person


def _ended(email: InboundEmail, state: State, reason: str = "", *, by=None) -> InboundEmail:
    email.state, email.reason, email.handled_by, email.handled_at = state, reason, by, timezone.now()
    email.save()
    return email


def _undecided(email: InboundEmail) -> InboundEmail:
    """The message, locked. Raises CannotDecide if it is filed."""
    email = InboundEmail.objects.without_raw().select_for_update().get(pk=email.pk)
    if email.state not in UNDECIDED:
        raise CannotDecide(_("This email has already been handled."))
    return email


def _address(text: str) -> str:
    return one_line(text, 320).strip("<>").lower()[:320]
