"""Decides what to do with a message. Reads the database and changes nothing."""

import re
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from itertools import islice

from django.conf import settings
from django.contrib.auth import get_user_model

from tickets.actions import filing_limit
from tickets.mail import addresses
from tickets.mail.canary import is_canary
from tickets.mail.receiving import references
from tickets.mail.receiving.authentication import Verdict, verdict
from tickets.mail.receiving.parsing import Mail, Nature
from tickets.models import BlockedSender, InboundEmail, Notification, Ticket

Reason = InboundEmail.Reason
State = InboundEmail.State

# Ends mail loops: more messages on one ticket, or new tickets from one address, are quarantined.
MOST = 10
WITHIN = timedelta(hours=1)
# The domain in "Helpdesk <it.example.com>" and "<mailto:it@example.com>".
DOMAIN = re.compile(r"[<@]([a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9-]{1,63}){1,8})>")
MACHINES = {
    Nature.BOUNCE: Reason.BOUNCE,
    Nature.AUTOMATIC: Reason.AUTOMATIC,
    Nature.LIST: Reason.LIST,
}


@dataclass(frozen=True)
class Decision:
    """State FILED: add to `ticket`, or create a ticket if it is None. Other states have a `reason`.

    `is_quote`: not as a message by `person`, but quoted in an internal note by the deciding member of staff.
    """

    state: State
    reason: Reason | str = ""
    detail: str = ""
    person: object = None
    ticket: Ticket | None = None
    is_internal: bool = False
    is_quote: bool = False


def decide(email: InboundEmail, mail: Mail) -> Decision:
    if any(map(is_canary, (email.recipient, *mail.recipients))):
        return Decision(State.IGNORED, Reason.CANARY)
    if _is_our_own(mail):
        return Decision(State.IGNORED, Reason.OWN_ADDRESS)
    if mail.nature in MACHINES and not _is_from_own_group(mail):
        return Decision(State.IGNORED, MACHINES[mail.nature], mail.why)
    if BlockedSender.objects.filter(address=mail.sender).exists():
        return Decision(State.IGNORED, Reason.BLOCKED)
    proof = _authentication(email, mail)
    person = person_of(mail.sender)
    reply = reply_address_in(email, mail)
    if proof == Verdict.FAIL:
        return _quarantined(Reason.NOT_AUTHENTIC, person, _ticket_signed(reply), is_signed=True)
    if reply:
        decision = _decide_on_reply(reply, person)
    elif answered := references.answered(mail, person):
        decision = _decide_on_answer(*answered, person)
    elif continued := references.continued(mail, person):
        if proof != Verdict.PASS:
            return _quarantined(Reason.NOT_AUTHENTIC, person, continued[0])
        decision = _decide_on_answer(*continued, person)
    elif person is None:
        return _quarantined(Reason.UNKNOWN_SENDER)
    elif proof != Verdict.PASS:
        return _quarantined(Reason.NOT_AUTHENTIC)
    else:
        decision = Decision(State.FILED, person=person)
    if decision.state == State.FILED and not is_believed(email, mail, person):
        return _quarantined(Reason.NOT_AUTHENTIC, person, decision.ticket)
    if decision.state == State.FILED and _are_too_many(email, mail, decision):
        return _quarantined(Reason.TOO_MANY, person, decision.ticket)
    return decision


def decide_for_staff(
    email: InboundEmail, mail: Mail, *, on: Ticket | None = None, is_new: bool = False
) -> Decision:
    """Decides about a message that staff accept: for the ticket `on`, a new one, or the one of its address.

    The decision of staff replaces authentication, except for messages from staff: see is_believed(). If the
    sender has no account, the decision for a new ticket has no `person`.
    """
    person = person_of(mail.sender)
    if person is None and not (on or is_new):
        return _quarantined(Reason.UNKNOWN_SENDER)
    ticket = on if on or is_new else _ticket_meant(email, mail, person)
    account = person or account_of(mail.sender)
    if account and not is_believed(email, mail, account):
        return Decision(State.FILED, person=account, ticket=ticket, is_quote=True)
    decision = decide_for_ticket(email, mail, person, ticket) if person else Decision(State.FILED)
    if on and decision.ticket is None:
        return Decision(State.FILED, person=person, ticket=on, is_quote=True)
    return decision


def is_believed(email: InboundEmail, mail: Mail, person) -> bool:
    """Whether the message may be published as a message by its sender `person`.

    Messages from staff need authentication: a signed reply address may have been forwarded, and nobody can
    confirm a message for a colleague.
    """
    return not person.is_staff or is_proven(email, mail)


def decide_for_ticket(email: InboundEmail, mail: Mail, person, ticket: Ticket | None) -> Decision:
    """Decides how to add a message to `ticket`. If `person` may not write there, it becomes a new ticket.

    A reply to an internal note is never public, even if the note was emailed to somebody else.
    """
    is_internal = _answers_note(email, mail)
    may_speak = ticket and (not is_internal or ticket.may_be_worked_on_by(person))
    if not may_speak or not Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists():
        return Decision(State.FILED, person=person)
    return Decision(State.FILED, person=person, ticket=ticket, is_internal=is_internal)


def is_proven(email: InboundEmail, mail: Mail) -> bool:
    """Whether the sender is authenticated."""
    return _authentication(email, mail) == Verdict.PASS


def should_notify_sender(email: InboundEmail, mail: Mail, decision: Decision) -> bool:
    """Whether a sender who has an account learns that the mail waits for review.

    Unauthenticated senders get no notification, and neither do machines, which might answer it.
    """
    is_held = decision.state == State.QUARANTINED and decision.reason not in (
        Reason.TOO_MANY,
        Reason.REPEATED,
    )
    return is_held and mail.nature == Nature.HUMAN and is_proven(email, mail)


def person_of(address: str):
    """The active person with this address; None if there is none, or the address is unconfirmed."""
    people = get_user_model().objects.active().may_be_mailed().prefetch_related("groups")
    return people.filter(email=address).first() if address else None


def account_of(address: str):
    """The person with this address, also if it is unconfirmed or the account is deactivated."""
    return get_user_model().objects.filter(email=address).first() if address else None


def reply_address_in(email: InboundEmail, mail: Mail) -> addresses.ReplyAddress | None:
    """The first of our addresses with a ticket among the recipients, starting with the envelope's."""
    found = (addresses.parse(address) for address in (email.recipient, *mail.recipients))
    return next((address for address in found if address), None)


def _ticket_meant(email: InboundEmail, mail: Mail, person) -> Ticket | None:
    """The ticket of the reply address or, without one, of the Message-IDs in References."""
    if reply := reply_address_in(email, mail):
        return Ticket.objects.filter(pk=reply.ticket).first()
    found = references.answered(mail, person) or references.continued(mail, person)
    return found[0] if found else None


def _ticket_signed(reply: addresses.ReplyAddress | None) -> Ticket | None:
    """The ticket of a reply address with a valid signature for anybody."""
    if reply is None or not _is_signed_for_somebody(reply):
        return None
    return Ticket.objects.filter(pk=reply.ticket).first()


def _decide_on_reply(reply: addresses.ReplyAddress, person) -> Decision:
    ticket = Ticket.objects.filter(pk=reply.ticket).first()
    if ticket is None:
        return _quarantined(Reason.BAD_SIGNATURE)
    is_internal = person is not None and reply.is_signed_for(person.pk, internal=True)
    if not is_internal and (person is None or not reply.is_signed_for(person.pk)):
        is_of_another = _is_signed_for_somebody(reply)
        reason = Reason.WRONG_SENDER if is_of_another else Reason.BAD_SIGNATURE
        return _quarantined(reason, person, ticket, is_signed=is_of_another)
    may_see = Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()
    if not may_see or (is_internal and not ticket.may_be_worked_on_by(person)):
        return _quarantined(Reason.WRONG_SENDER, person, ticket, is_signed=True)
    return Decision(State.FILED, person=person, ticket=ticket, is_internal=is_internal)


def _decide_on_answer(ticket: Ticket, is_internal: bool, person) -> Decision:
    if is_internal and not ticket.may_be_worked_on_by(person):
        return _quarantined(Reason.WRONG_SENDER, person, ticket)
    return Decision(State.FILED, person=person, ticket=ticket, is_internal=is_internal)


def _quarantined(
    reason: Reason, person=None, ticket: Ticket | None = None, *, is_signed: bool = False
) -> Decision:
    """Quarantines a message. On `ticket` it is shown and stops reminders.

    Therefore the ticket is set only if `person` may see it, or the address has a valid signature. A stranger
    can write any ticket number into an address.
    """
    takes_part = person and ticket and Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()
    place = ticket and (ticket.merged_into or ticket) if takes_part or is_signed else None
    return Decision(State.QUARANTINED, reason, person=person, ticket=place)


def _is_our_own(mail: Mail) -> bool:
    ours = {parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower(), settings.SUPPORT_EMAIL.lower()} - {""}
    # Check the prefix of the Message-ID, because people may have addresses at our domain too.
    is_by_us = re.fullmatch(rf"<helpdesk-.*@{re.escape(settings.MESSAGE_ID_DOMAIN)}>", mail.message_id)
    return addresses.is_ours(mail.sender) or mail.sender in ours or bool(is_by_us)


def _authentication(email: InboundEmail, mail: Mail) -> Verdict:
    is_mailgun = email.route == InboundEmail.Route.MAILGUN
    trusted = "mailgun" if is_mailgun else settings.INBOUND_AUTHSERV_ID
    return verdict(mail.headers, sender=mail.sender, envelope_sender=email.envelope_sender, trusted=trusted)


def _is_from_own_group(mail: Mail) -> bool:
    """Whether the message came through a mailing group of the person's own domain, like it@example.com."""
    if mail.nature != Nature.LIST or person_of(mail.sender) is None:
        return False
    named = [value for name, value in mail.headers if name.lower() in ("list-id", "list-post")]
    domains = {domain.lower().rstrip(".") for value in named for domain in DOMAIN.findall(value)}
    own = {mail.sender.rpartition("@")[2], *settings.SIGNUP_EMAIL_DOMAINS}
    return any(domain == known or domain.endswith(f".{known}") for domain in domains for known in own)


def _answers_note(email: InboundEmail, mail: Mail) -> bool:
    """Whether a message replies to an email about an internal note, to any person."""
    found = dict.fromkeys(filter(None, map(addresses.parse, (email.recipient, *mail.recipients))))
    if any(_is_signed_for_somebody(reply, (True,)) for reply in islice(found, MOST)):
        return True
    return references.answers_note(mail)


def _is_signed_for_somebody(reply: addresses.ReplyAddress, kinds=(False, True)) -> bool:
    """Whether the signature is valid for any person who got an email about the ticket."""
    mailed = Notification.objects.filter(ticket=reply.ticket).order_by()
    people = mailed.values_list("person", flat=True).distinct()
    return any(
        reply.is_signed_for(person, internal=internal) for person in people if person for internal in kinds
    )


def _are_too_many(email: InboundEmail, mail: Mail, decision: Decision) -> bool:
    """Whether this ticket or this sender has reached MOST messages within WITHIN."""
    ticket = decision.ticket
    earlier = InboundEmail.objects.filter(state=State.FILED, pk__lt=email.pk)
    earlier = earlier.filter(received_at__gt=email.received_at - WITHIN)
    # A reply to a merged ticket is added to its target. A reply to a closed ticket becomes a new ticket.
    counted = [earlier.filter(ticket__in={ticket.pk, ticket.merged_into_id} - {None})] if ticket else []
    if ticket is None or ticket.is_merged or not ticket.takes_replies:
        if filing_limit.wait_for(decision.person):
            return True
        counted.append(earlier.filter(sender=mail.sender, comment=None))
    return any(mails.count() >= MOST for mails in counted)
