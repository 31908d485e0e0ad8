"""Finds the ticket of a message by the Message-IDs in References and In-Reply-To (RFC 5322, 3.6.4)."""

from accounts.actor import acting_as
from tickets.mail.receiving.parsing import Mail
from tickets.models import InboundEmail, Notification, Ticket, TicketLink
from tickets.rules.events import EVENTS, verbs

MOST_LINKS = 5


def answered(mail: Mail, person) -> tuple[Ticket, bool] | None:
    """The ticket of our email to `person` that this message replies to, and whether it was about a note.

    The Message-ID of our email is secret, so it needs no further proof. None if it was about several tickets.
    """
    if person is None or not mail.references:
        return None
    sent = Notification.objects.filter(message_id__in=mail.references, person=person)
    about = set(sent.values_list("ticket", "activity__verb"))
    numbers = {number for number, _verb in about}
    if len(numbers) != 1:
        return None
    ticket = Ticket.objects.visible_to(person).filter(pk__in=numbers - {None}).first()
    return (ticket, any(not EVENTS[verb].is_public for _number, verb in about)) if ticket else None


def continued(mail: Mail, person) -> tuple[Ticket, bool] | None:
    """The ticket of another person's message that this one replies to, as a colleague in Cc does.

    Every recipient knows that Message-ID, so the caller must check authentication. `person` must see the
    ticket.
    """
    if person is None or not mail.references:
        return None
    filed = InboundEmail.objects.filed().filter(identity__in=mail.references)
    found = {mail.identity: mail for mail in filed.without_raw().select_related("comment")}
    for reference in mail.references:
        if before := found.get(reference):
            ticket = Ticket.objects.visible_to(person).filter(pk=before.ticket_id).first()
            if ticket:
                return ticket, before.comment is not None and not before.comment.is_public
    return None


def answers_note(mail: Mail) -> bool:
    """Whether a message replies to our email about an internal note, or to a message that became one."""
    if not mail.references:
        return False
    notifications = Notification.objects.filter(
        message_id__in=mail.references, kind__in=verbs(lambda event: not event.is_public)
    )
    notes = InboundEmail.objects.filed().filter(identity__in=mail.references, comment__is_public=False)
    return notifications.exists() or notes.exists()


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
