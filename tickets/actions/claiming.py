"""Assigning a ticket to oneself, and the refusal if another person was faster."""

from datetime import timedelta

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.models import ActivityLog, Because, Ticket

A_MOMENT = timedelta(seconds=1)


class Claimed(ValidationError):
    """Another person has the ticket now. The message says who, and since when."""

    def __init__(self, ticket: Ticket):
        super().__init__(who_has_it(ticket))


def has_owner(ticket: Ticket) -> bool:
    """Whether the ticket has an assignee who works."""
    return ticket.assignee_id is not None and ticket.assignee.works


def is_free(ticket: Ticket) -> bool:
    """Whether a reply may claim it. A done ticket keeps its assignee, even one who left."""
    return ticket.assignee_id is None or not (ticket.is_done or has_owner(ticket))


def validate_owner(ticket: Ticket, person, *, seen: int | None) -> None:
    """Raises Claimed if the locked `ticket` has an owner who is neither `person` nor `seen`.

    `seen` is the primary key of the assignee that the page showed; None: unassigned.
    """
    if ticket.assignee_id not in (seen, getattr(person, "pk", None)) and has_owner(ticket):
        raise Claimed(ticket)


def take(ticket: Ticket, person, *, seen: int | None) -> None:
    """Assigns the locked `ticket` to `person`, who saw `seen` as its assignee. A repetition does nothing.

    Raises Claimed, or NotStaff for a person who does not work.
    """
    validate_owner(ticket, person, seen=seen)
    if ticket.assignee_id != person.pk:
        ticket.assign(person, because=Because.TOOK)


def ago(row: ActivityLog) -> str:
    """Returns words like "12 seconds ago"."""
    # "now" is too vague for a message, and Django's non-breaking spaces are not needed in it.
    moment = min(row.recorded_at, timezone.now() - A_MOMENT)
    return naturaltime(moment).replace("\xa0", " ")


def who_has_it(ticket: Ticket) -> str:
    """Returns a sentence like "Ravi Shah self-assigned this 12 seconds ago.", read from the log."""
    row = ActivityLog.objects.last_assignment(ticket)
    words = {"name": ticket.assignee}
    if row is None or row.changes["assignee"][1] != ticket.assignee_id:
        return _("This is assigned to %(name)s.") % words
    words |= {"actor": row.actor_name, "ago": ago(row)}
    if row.actor_id == ticket.assignee_id:
        return _("%(name)s self-assigned this %(ago)s.") % words
    if row.actor_name:
        return _("%(actor)s assigned this to %(name)s %(ago)s.") % words
    return _("This was assigned to %(name)s %(ago)s.") % words
