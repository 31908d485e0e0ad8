"""Decides what to do with a message. Reads the database and changes nothing."""

import re
from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from itertools import islice

from django.conf import settings
from django.contrib.auth import get_user_model

from tickets.actions import filing_limit
from tickets.mail import addresses
from tickets.mail.canary import is_canary
from tickets.mail.receiving import arrival, first_contact, proof, references, subjects
from tickets.mail.receiving.authentication import Verdict
from tickets.mail.receiving.decision import Decision, Reason, State, quarantined
from tickets.mail.receiving.first_contact import account_of
from tickets.mail.receiving.parsing import Mail, Nature
from tickets.mail.receiving.proof import is_proven
from tickets.mail.roots import Root, roots_in
from tickets.models import BlockedSender, InboundEmail, Notification, Ticket

__all__ = ["Decision", "Reason", "State", "account_of", "decide", "decide_for_staff", "is_proven"]

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


def decide(email: InboundEmail, mail: Mail) -> Decision:
    if any(map(is_canary, (email.recipient, *mail.recipients))):
        return Decision(State.IGNORED, Reason.CANARY)
    if _is_our_own(mail):
        return Decision(State.IGNORED, Reason.OWN_ADDRESS)
    if mail.nature in MACHINES and not _is_from_own_group(mail):
        return Decision(State.IGNORED, MACHINES[mail.nature], mail.why)
    if BlockedSender.objects.filter(address=mail.sender).exists():
        return Decision(State.IGNORED, Reason.BLOCKED)
    verdict = proof.of(email, mail)
    person = person_of(mail.sender)
    reply = reply_address_in(email, mail)
    if verdict == Verdict.FAIL:
        return quarantined(Reason.NOT_AUTHENTIC, person, _ticket_signed(reply), is_signed=True)
    if reply:
        decision = decide_on_reply(reply, person)
    elif answered := references.answered(mail, person):
        decision = _decide_on_answer(*answered, person)
    elif found := _decide_on_open_anchor(email, mail, person):
        if verdict != Verdict.PASS:
            return quarantined(Reason.NOT_AUTHENTIC, person, found.ticket)
        decision = found
    elif arrival.is_only_in_copy(email, mail):
        return Decision(State.IGNORED, Reason.ONLY_COPY, person=person)
    elif person is None:
        return first_contact.decide(email, mail, verdict)
    elif verdict != Verdict.PASS:
        return quarantined(Reason.NOT_AUTHENTIC)
    else:
        decision = Decision(State.FILED, person=person)
    if decision.state == State.FILED and not is_believed(email, mail, person):
        return quarantined(Reason.NOT_AUTHENTIC, person, decision.ticket)
    if decision.state == State.FILED and _are_too_many(email, mail, decision):
        return quarantined(Reason.TOO_MANY, person, decision.ticket)
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
        return quarantined(Reason.UNKNOWN_SENDER)
    ticket, is_note = (on, False) if on or is_new else _ticket_meant(email, mail, person)
    account = person or account_of(mail.sender)
    if account and not is_believed(email, mail, account):
        return Decision(State.FILED, person=account, ticket=ticket, is_quote=True)
    decision = decide_for_ticket(email, mail, person, ticket) if person else Decision(State.FILED)
    if decision.ticket and is_note:
        decision = replace(decision, is_internal=True)
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


def decide_on_confirmation(email: InboundEmail, mail: Mail, person) -> Decision | None:
    """Decides about a held reply that `person` confirms to have sent from another address.

    None unless it still waits, and the person may still write with this reply address.
    """
    is_waiting = email.state == State.QUARANTINED and email.reason == Reason.WRONG_SENDER
    reply = reply_address_in(email, mail)
    if not is_waiting or reply is None or account_of(mail.sender) is not None:
        return None
    decision = decide_on_reply(reply, person)
    return decision if decision.state == State.FILED else None


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


def reply_address_in(email: InboundEmail, mail: Mail) -> addresses.ReplyAddress | None:
    """The first of our addresses with a ticket among the recipients, starting with the envelope's."""
    found = (addresses.parse(address) for address in (email.recipient, *mail.recipients))
    return next((address for address in found if address), None)


def _ticket_meant(email: InboundEmail, mail: Mail, person) -> tuple[Ticket | None, bool]:
    """The ticket of the first anchor of decide(), and whether the message becomes a note for its sake."""
    if reply := reply_address_in(email, mail):
        return Ticket.objects.filter(pk=reply.ticket).first(), False
    if found := references.answered(mail, person) or references.continued(mail, person):
        return found[0], False
    named = _named_in_subject(email, mail, person)
    return (named[0], person.is_staff) if len(named) == 1 else (None, False)


def _named_in_subject(email: InboundEmail, mail: Mail, person) -> list[Ticket]:
    """The tickets of [#n] in the subject on which the person may write; at most two.

    Only in messages fetched from a mailbox: the provider of the settings always keeps the signed address.
    """
    if person is None or email.mailbox_id is None or not settings.SUBJECT_ANSWERS:
        return []
    numbers = subjects.numbers_in(mail.whole_subject)
    return list(Ticket.objects.visible_to(person).filter(pk__in=numbers).order_by("pk")[:2])


def _ticket_signed(reply: addresses.ReplyAddress | None) -> Ticket | None:
    """The ticket of a reply address with a valid signature for anybody."""
    if reply is None or not person_signed_for(reply):
        return None
    return Ticket.objects.filter(pk=reply.ticket).first()


def decide_on_reply(reply: addresses.ReplyAddress, person) -> Decision:
    ticket = Ticket.objects.filter(pk=reply.ticket).first()
    if ticket is None:
        return quarantined(Reason.BAD_SIGNATURE)
    is_internal = person is not None and reply.is_signed_for(person.pk, internal=True)
    if not is_internal and (person is None or not reply.is_signed_for(person.pk)):
        is_of_another = person_signed_for(reply) is not None
        reason = Reason.WRONG_SENDER if is_of_another else Reason.BAD_SIGNATURE
        return quarantined(reason, person, ticket, is_signed=is_of_another)
    may_see = Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()
    if not may_see or (is_internal and not ticket.may_be_worked_on_by(person)):
        return quarantined(Reason.WRONG_SENDER, person, ticket, is_signed=True)
    return Decision(State.FILED, person=person, ticket=ticket, is_internal=is_internal)


def _decide_on_answer(ticket: Ticket, is_internal: bool, person) -> Decision:
    if is_internal and not ticket.may_be_worked_on_by(person):
        return quarantined(Reason.WRONG_SENDER, person, ticket)
    return Decision(State.FILED, person=person, ticket=ticket, is_internal=is_internal)


def _decide_on_open_anchor(email: InboundEmail, mail: Mail, person) -> Decision | None:
    """Decides by what others know or guess too: Message-IDs in Cc, [#n] in the subject. None without it.

    The caller must check authentication. A subject never makes a public reply of staff: they may answer the
    email of an internal note.
    """
    if continued := references.continued(mail, person):
        return _decide_on_answer(*continued, person)
    named = _named_in_subject(email, mail, person)
    if len(named) > 1:
        return quarantined(Reason.AMBIGUOUS, person)
    return _decide_on_answer(named[0], person.is_staff, person) if named else None


def _is_our_own(mail: Mail) -> bool:
    ours = {parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower(), settings.SUPPORT_EMAIL.lower()} - {""}
    # Check the prefix of the Message-ID, because people may have addresses at our domain too.
    is_by_us = re.fullmatch(rf"<helpdesk-.*@{re.escape(settings.MESSAGE_ID_DOMAIN)}>", mail.message_id)
    return addresses.is_ours(mail.sender) or mail.sender in ours or bool(is_by_us)


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
    marks = [*islice(found, MOST), *islice(roots_in(mail.references), MOST)]
    return any(person_signed_for(mark, (True,)) for mark in marks) or references.answers_note(mail)


def person_signed_for(mark: addresses.ReplyAddress | Root, kinds=(False, True)) -> int | None:
    """The person for whom the signature is valid, among those who got an email about the ticket."""
    mailed = Notification.objects.filter(ticket=mark.ticket).order_by()
    people = mailed.exclude(person=None).values_list("person", flat=True).distinct()
    signed = (
        person for person in people for internal in kinds if mark.is_signed_for(person, internal=internal)
    )
    return next(signed, None)


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
