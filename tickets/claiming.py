"""Who takes a ticket, and what somebody reads where another one was faster."""

from datetime import timedelta

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.events import Verb
from tickets.models import ActivityLog, Because, Ticket

GIVING = (Verb.CREATED, Verb.ASSIGNED)  # what can set an assignee
A_MOMENT = timedelta(seconds=1)


class Claimed(ValidationError):
    """Somebody else has the ticket now. The message says who, and since when."""

    def __init__(self, ticket: Ticket):
        super().__init__(who_has_it(ticket))


def has_owner(ticket: Ticket) -> bool:
    """Whether somebody who works has it."""
    return ticket.assignee_id is not None and ticket.assignee.works


def is_free(ticket: Ticket) -> bool:
    """Whether an answer may claim it. What is done stays with whoever did it, also with somebody who left."""
    return ticket.assignee_id is None or not (ticket.is_done or has_owner(ticket))


def validate_owner(ticket: Ticket, person, *, seen: int | None) -> None:
    """Raises Claimed where the locked `ticket` has an owner who is neither `person` nor the one `seen`.

    `seen` is the assignee whom the page showed, by number; None: nobody.
    """
    if ticket.assignee_id not in (seen, getattr(person, "pk", None)) and has_owner(ticket):
        raise Claimed(ticket)


def take(ticket: Ticket, person, *, seen: int | None) -> None:
    """Assigns the locked `ticket` to `person`, who saw `seen` as its assignee. Done twice it is done once.

    Raises Claimed, or NotStaff for a person who does not work.
    """
    validate_owner(ticket, person, seen=seen)
    if ticket.assignee_id != person.pk:
        ticket.assign(person, because=Because.TOOK)


def who_has_it(ticket: Ticket) -> str:
    """Like "Ravi Shah self-assigned this 12 seconds ago."; by the log, which knows who did it and when."""
    given = ActivityLog.objects.filter(ticket_id=ticket.pk, verb__in=GIVING, changes__has_key="assignee")
    row = given.order_by("-pk").first()
    words = {"name": ticket.assignee}
    if row is None or row.changes["assignee"][1] != ticket.assignee_id:
        return _("This is assigned to %(name)s.") % words
    # "now" is no answer to "since when"; a message can break its lines anywhere.
    moment = min(row.recorded_at, timezone.now() - A_MOMENT)
    words |= {"actor": row.actor_name, "ago": naturaltime(moment).replace("\xa0", " ")}
    if row.actor_id == ticket.assignee_id:
        return _("%(name)s self-assigned this %(ago)s.") % words
    if row.actor_name:
        return _("%(actor)s assigned this to %(name)s %(ago)s.") % words
    return _("This was assigned to %(name)s %(ago)s.") % words
