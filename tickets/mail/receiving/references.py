"""Finds the ticket of a message by the Message-IDs in References and In-Reply-To (RFC 5322, 3.6.4)."""

from django.db.models import QuerySet

from accounts.actor import acting_as
from tickets.mail.receiving.parsing import Mail
from tickets.mail.roots import roots_in
from tickets.models import InboundEmail, Notification, Ticket, TicketLink
from tickets.rules.events import EVENTS, verbs

MOST_LINKS = 5


def answered(mail: Mail, person) -> tuple[Ticket, bool] | None:
    """The ticket of our email to `person` that this message replies to, and whether it was about a note.

    Message-ID and root of our email are secret, so they need no further proof. None if it was about several
    tickets.
    """
    if person is None or not mail.references:
        return None
    sent = Notification.objects.filter(message_id__in=mail.references, person=person)
    return _one_of(_about(sent) | _about_roots(mail, person), person)


def continued(mail: Mail, person) -> tuple[Ticket, bool] | None:
    """The ticket of an email whose Message-ID others know too. `person` must see the ticket.

    The caller must check authentication: a provider chose the Message-ID of our email, and everybody in Cc of
    another person's message knows its Message-ID.
    """
    if person is None or not mail.references:
        return None
    return _one_of(_about(_renamed(mail).filter(person=person)), person) or _after_another(mail, person)


def answers_note(mail: Mail) -> bool:
    """Whether a message replies to our email about an internal note, or to a message that became one."""
    if not mail.references:
        return False
    ours = Notification.objects.filter(message_id__in=mail.references) | _renamed(mail)
    notes = InboundEmail.objects.filed().filter(identity__in=mail.references, comment__is_public=False)
    return ours.filter(kind__in=verbs(lambda event: not event.is_public)).exists() or notes.exists()


def _about(sent: QuerySet) -> set[tuple[int | None, bool]]:
    """The tickets of rows of the outbox, and whether the row is about a note."""
    rows = set(sent.values_list("ticket", "activity__verb"))
    return {(number, verb is not None and not EVENTS[verb].is_public) for number, verb in rows}


def _about_roots(mail: Mail, person) -> set[tuple[int, bool]]:
    return {
        (root.ticket, internal)
        for root in roots_in(mail.references)
        for internal in (False, True)
        if root.is_signed_for(person.pk, internal=internal)
    }


def _one_of(about: set[tuple[int | None, bool]], person) -> tuple[Ticket, bool] | None:
    numbers = {number for number, _internal in about} - {None}
    if len(numbers) != 1:
        return None
    ticket = Ticket.objects.visible_to(person).filter(pk__in=numbers).first()
    return (ticket, any(internal for _number, internal in about)) if ticket else None


def _renamed(mail: Mail) -> QuerySet:
    """Our emails whose Message-ID a provider has replaced: with its own ID, at some domain."""
    bare = {reference.strip("<>") for reference in mail.references}
    names = {*mail.references, *bare, *(identifier.rpartition("@")[0] for identifier in bare)} - {""}
    return Notification.objects.filter(provider_id__in=names)


def _after_another(mail: Mail, person) -> tuple[Ticket, bool] | None:
    """The ticket of another person's message that this one replies to, as a colleague in Cc does."""
    filed = InboundEmail.objects.filed().filter(identity__in=mail.references)
    found = {mail.identity: mail for mail in filed.without_raw().select_related("comment")}
    for reference in mail.references:
        if before := found.get(reference):
            ticket = Ticket.objects.visible_to(person).filter(pk=before.ticket_id).first()
            if ticket:
                return ticket, before.comment is not None and not before.comment.is_public
    return None


def link(ticket: Ticket, email: InboundEmail, mail: Mail) -> None:
    """Links a new ticket to the tickets of messages that its message replies to, and of replies to its
    message that were received before it.
    """
    filed = InboundEmail.objects.filed().exclude(pk=email.pk)
    of_mails = (
        filed.filter(identity__in=mail.references).values_list("ticket", flat=True),
        filed.filter(answers=email.identity).values_list("ticket", flat=True),
    )
    numbers = {number for numbers in of_mails for number in numbers[:MOST_LINKS]} - {ticket.pk}
    with acting_as(None):
        for other in Ticket.objects.filter(pk__in=numbers).order_by("pk")[:MOST_LINKS]:
            if not TicketLink.objects.of(ticket).of(other).exists():
                TicketLink.objects.create(ticket=ticket, target=other)
