"""What a mail is, and so what must come of it. Reads the database, changes nothing."""

import re
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from itertools import islice

from django.conf import settings
from django.contrib.auth import get_user_model

from tickets import filing_limit
from tickets.events import Verb
from tickets.inbound import addresses
from tickets.inbound.authentication import Verdict, verdict
from tickets.inbound.canary import is_canary
from tickets.inbound.parsing import Mail, Nature
from tickets.models import BlockedSender, InboundEmail, Notification, Ticket

Reason = InboundEmail.Reason
State = InboundEmail.State

# Loops end by themselves: mail beyond this on one ticket, or new tickets of one address, are quarantined.
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
    """FILED: on `ticket`, or where that is None as a new one. All else: why not.

    `is_quote`: not as the words of `person`. Whoever decides quotes them in an internal note.
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
    if proof == Verdict.FAIL:
        return _quarantined(Reason.NOT_AUTHENTIC, person, _ticket_addressed(email, mail))
    if reply := reply_address_in(email, mail):
        decision = _decide_on_reply(reply, person)
    elif answered := _answered(mail, person) or _continued(mail, person, proof):
        ticket, is_internal = answered
        if is_internal and not person.is_staff:
            return _quarantined(Reason.WRONG_SENDER, person, ticket)
        decision = Decision(State.FILED, person=person, ticket=ticket, is_internal=is_internal)
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
    """What comes of a mail that staff vouch for: on the ticket `on`, as a new one, or where its address says.

    Their word stands for the proof, except for the words of staff: see is_believed(). Where nobody here has
    the sender's address, a new ticket has no `person` yet.
    """
    person = person_of(mail.sender)
    if person is None and not (on or is_new):
        return _quarantined(Reason.UNKNOWN_SENDER)
    ticket = on if on or is_new else _ticket_addressed(email, mail)
    account = person or account_of(mail.sender)
    if account and not is_believed(email, mail, account):
        return Decision(State.FILED, person=account, ticket=ticket, is_quote=True)
    decision = decide_for_ticket(email, mail, person, ticket) if person else Decision(State.FILED)
    if on and decision.ticket is None:
        return Decision(State.FILED, person=person, ticket=on, is_quote=True)
    return decision


def is_believed(email: InboundEmail, mail: Mail, person) -> bool:
    """Whether the words of a mail may stand as those of its sender `person`.

    Those of staff need proof: a signed address alone may have been passed on, and nobody can vouch for what a
    colleague is to have said.
    """
    return not person.is_staff or is_proven(email, mail)


def decide_for_ticket(email: InboundEmail, mail: Mail, person, ticket: Ticket | None) -> Decision:
    """As what a mail stands on `ticket`; on a new one where `person` may not speak there.

    An answer to a note, also to a note to somebody else, is never public.
    """
    is_internal = _answers_note(email, mail)
    may_speak = ticket and (person.is_staff or not is_internal)
    if not may_speak or not Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists():
        return Decision(State.FILED, person=person)
    return Decision(State.FILED, person=person, ticket=ticket, is_internal=is_internal)


def is_proven(email: InboundEmail, mail: Mail) -> bool:
    """Whether the mail comes from where it says."""
    return _authentication(email, mail) == Verdict.PASS


def is_to_be_told(email: InboundEmail, mail: Mail, decision: Decision) -> bool:
    """Whether a sender who has an account learns that the mail waits for review.

    A stranger learns nothing, and two machines must not answer each other.
    """
    is_held = decision.state == State.QUARANTINED and decision.reason not in (
        Reason.TOO_MANY,
        Reason.REPEATED,
    )
    return is_held and mail.nature == Nature.HUMAN and is_proven(email, mail)


def person_of(address: str):
    """Who may log in with this mail address; None where nobody does, or nobody has confirmed it."""
    people = get_user_model().objects.active().may_be_mailed().prefetch_related("groups")
    return people.filter(email=address).first() if address else None


def account_of(address: str):
    """Who has this mail address, also unconfirmed or deactivated."""
    return get_user_model().objects.filter(email=address).first() if address else None


def reply_address_in(email: InboundEmail, mail: Mail) -> addresses.ReplyAddress | None:
    """The first address of ours among the recipients that names a ticket; the envelope's comes first."""
    found = (addresses.parse(address) for address in (email.recipient, *mail.recipients))
    return next((address for address in found if address), None)


def _ticket_addressed(email: InboundEmail, mail: Mail) -> Ticket | None:
    reply = reply_address_in(email, mail)
    return Ticket.objects.filter(pk=reply.ticket).first() if reply else None


def _decide_on_reply(reply: addresses.ReplyAddress, person) -> Decision:
    ticket = Ticket.objects.filter(pk=reply.ticket).first()
    if ticket is None:
        return _quarantined(Reason.BAD_SIGNATURE)
    is_internal = person is not None and reply.is_signed_for(person.pk, internal=True)
    if not is_internal and (person is None or not reply.is_signed_for(person.pk)):
        is_of_another = _is_signed_for_somebody(reply)
        return _quarantined(Reason.WRONG_SENDER if is_of_another else Reason.BAD_SIGNATURE, person, ticket)
    may_answer = person.is_staff if is_internal else Ticket.objects.visible_to(person).filter(pk=ticket.pk)
    if not may_answer:
        return _quarantined(Reason.WRONG_SENDER, person, ticket)
    return Decision(State.FILED, person=person, ticket=ticket, is_internal=is_internal)


def _quarantined(reason: Reason, person=None, ticket: Ticket | None = None) -> Decision:
    return Decision(State.QUARANTINED, reason, person=person, ticket=ticket)


def _is_our_own(mail: Mail) -> bool:
    ours = {parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower(), settings.SUPPORT_EMAIL.lower()} - {""}
    # People may have their addresses, and so their Message-IDs, at the domain that we mail from.
    is_by_us = re.fullmatch(rf"<helpdesk-.*@{re.escape(settings.MESSAGE_ID_DOMAIN)}>", mail.message_id)
    return addresses.is_ours(mail.sender) or mail.sender in ours or bool(is_by_us)


def _authentication(email: InboundEmail, mail: Mail) -> Verdict:
    is_mailgun = email.route == InboundEmail.Route.MAILGUN
    trusted = "mailgun" if is_mailgun else settings.INBOUND_AUTHSERV_ID
    return verdict(mail.headers, sender=mail.sender, envelope_sender=email.envelope_sender, trusted=trusted)


def _answered(mail: Mail, person) -> tuple[Ticket, bool] | None:
    """The ticket that a mail of ours to `person` was about, which this one answers, and if it was a note.

    Others can't guess the Message-ID of that mail. One that was about several tickets tells nothing.
    """
    if person is None or not mail.references:
        return None
    sent = Notification.objects.filter(message_id__in=mail.references, person=person)
    about = set(sent.values_list("ticket", "activity__verb"))
    numbers = {number for number, _verb in about}
    if len(numbers) != 1:
        return None
    ticket = Ticket.objects.visible_to(person).filter(pk__in=numbers - {None}).first()
    return (ticket, any(verb == Verb.NOTED for _number, verb in about)) if ticket else None


def _continued(mail: Mail, person, proof: Verdict) -> tuple[Ticket, bool] | None:
    """The ticket of a mail by somebody else that this one answers, as a colleague in copy does.

    Everybody who got that mail knows its Message-ID, so it takes proof, and `person` must see the ticket.
    """
    if person is None or proof != Verdict.PASS or not mail.references:
        return None
    filed = InboundEmail.objects.filter(state=State.FILED, identity__in=mail.references)
    found = {mail.identity: mail for mail in filed.without_raw().select_related("comment")}
    for reference in mail.references:
        if before := found.get(reference):
            ticket = Ticket.objects.visible_to(person).filter(pk=before.ticket_id).first()
            if ticket:
                return ticket, before.comment is not None and not before.comment.is_public
    return None


def _is_from_own_group(mail: Mail) -> bool:
    """Whether a person's mail came through a group of the person's own organisation, like it@example.com."""
    if mail.nature != Nature.LIST or person_of(mail.sender) is None:
        return False
    named = [value for name, value in mail.headers if name.lower() in ("list-id", "list-post")]
    domains = {domain.lower().rstrip(".") for value in named for domain in DOMAIN.findall(value)}
    own = {mail.sender.rpartition("@")[2], *settings.SIGNUP_EMAIL_DOMAINS}
    return any(domain == known or domain.endswith(f".{known}") for domain in domains for known in own)


def _answers_note(email: InboundEmail, mail: Mail) -> bool:
    """Whether a mail answers one about an internal note, whoever that was to."""
    found = dict.fromkeys(filter(None, map(addresses.parse, (email.recipient, *mail.recipients))))
    if any(_is_signed_for_somebody(reply, (True,)) for reply in islice(found, MOST)):
        return True
    return Notification.objects.filter(message_id__in=mail.references, kind=Verb.NOTED).exists()


def _is_signed_for_somebody(reply: addresses.ReplyAddress, kinds=(False, True)) -> bool:
    """Whether the signature, for notes or not, is that of somebody whom we mailed about the ticket."""
    mailed = Notification.objects.filter(ticket=reply.ticket).order_by()
    people = mailed.values_list("person", flat=True).distinct()
    return any(
        reply.is_signed_for(person, internal=internal) for person in people if person for internal in kinds
    )


def _are_too_many(email: InboundEmail, mail: Mail, decision: Decision) -> bool:
    """Whether machines answer each other on a ticket, or one files ticket after ticket."""
    ticket = decision.ticket
    earlier = InboundEmail.objects.filter(state=State.FILED, pk__lt=email.pk)
    earlier = earlier.filter(received_at__gt=email.received_at - WITHIN)
    # On a ticket that is merged a reply stands elsewhere; on one that is done for long it is a new ticket.
    counted = [earlier.filter(ticket__in={ticket.pk, ticket.merged_into_id} - {None})] if ticket else []
    if ticket is None or ticket.is_merged or not ticket.takes_replies:
        if filing_limit.wait_for(decision.person):
            return True
        counted.append(earlier.filter(sender=mail.sender, comment=None))
    return any(mails.count() >= MOST for mails in counted)
