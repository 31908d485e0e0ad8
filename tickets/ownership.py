"""No ticket waits for somebody who will not come: what a person who stopped working leaves is handed over.

An open ticket belongs to nobody or to a person who works (tickets.models.ticket_owner). When somebody stops
working, a Handover is written in the same transaction, and carried out after it: at once by the page on
which somebody asked for it, else by the job of the worker (specs/teams-and-levels.md, 1.2 and 1.3).
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts import actor
from tickets.models import Category, Handover, Ticket, Watcher
from tickets.models.ticket_owner import Because, working
from tickets.notifications import outbox
from tickets.querysets import TicketQuerySet
from tickets.search.assignees import assignees

logger = logging.getLogger(__name__)

BATCH = 200  # tickets in one transaction
IN_REQUEST, IN_JOB = 10, 30  # seconds
# For so long a transaction that began before somebody stopped working may still give him a ticket.
STRAGGLERS = timedelta(minutes=10)


def note_rights(person, *, worked: bool) -> None:
    """Asks for a handover when `person` stops working; takes it back where that person works after all."""
    if working(person.pk):
        Handover.objects.open().filter(person=person).delete()
    elif worked:
        Handover.objects.ask(person)


def left_open() -> TicketQuerySet:
    """The open tickets that are assigned to people who do not work.

    Begins with these people, who are few or none: the open tickets may be many.
    """
    staff = get_user_model().objects.staff().order_by().values("pk")
    gone = assignees().exclude(pk__in=staff).order_by().values_list("pk", flat=True)
    return Ticket.objects.open().filter(assignee__in=list(gone)).order_by("pk")


def hand_over(person=None, *, seconds: float | None = IN_JOB, by_hand: bool = False) -> int:
    """Carries out the open handovers, or only that of `person`, for at most `seconds`; None: to the end.

    Nothing is taken from somebody who works (again), except `by_hand`. Returns how many tickets were handed
    over. What is left waits for the next run.
    """
    until = None if seconds is None else time.monotonic() + seconds
    if person is None:
        _ask_for_stragglers()
    waiting = Handover.objects.open().order_by("pk")
    if person is not None:
        waiting = waiting.filter(person=person)
    count = 0
    for number in list(waiting.values_list("pk", flat=True)):
        try:
            count += sum(_batches(number, until, by_hand=by_hand))
        except DatabaseError:  # locked by somebody for too long: the next run goes on
            logger.exception("Handover %s is not finished.", number)
    return count


def _ask_for_stragglers() -> None:
    """Somebody may have been given a ticket in the moment in which he stopped working."""
    recent = Handover.objects.filter(done_at__gt=timezone.now() - STRAGGLERS).values_list("person", flat=True)
    people = set(recent)
    if people:
        late = left_open().filter(assignee__in=people).order_by().values("assignee")
        for person in get_user_model().objects.filter(pk__in=late):
            with actor.acting_as(None):
                Handover.objects.ask(person)


def _batches(number: int, until: float | None, *, by_hand: bool) -> Iterator[int]:
    """Hands over batch after batch, each in a transaction; yields how many tickets it had."""
    goes_on = True
    while goes_on and (until is None or time.monotonic() < until):
        with transaction.atomic():
            handover = _locked(number)
            if handover is None:
                return
            source = actor.ADMIN if handover.asked_by else actor.SYSTEM
            with actor.acting_as(handover.asked_by, source=source, batch=handover.batch):
                count, goes_on = _hand_over_batch(handover, until, by_hand=by_hand)
        yield count


def _locked(number: int) -> Handover | None:
    """The handover, unless it is done or another process is at it."""
    can_skip = connection.features.has_select_for_update_skip_locked
    rows = Handover.objects.open().select_for_update(skip_locked=can_skip, of=("self",))
    return rows.select_related("person", "asked_by", "to", "default_to").filter(pk=number).first()


def _hand_over_batch(handover: Handover, until: float | None, *, by_hand: bool) -> tuple[int, bool]:
    """Hands over some tickets, or ends the handover where none is left.

    Returns how many tickets, and whether there is more that can be done now.
    """
    if not by_hand and working(handover.person_id):  # came back in the meantime
        _end(handover)
        return 0, False
    _replace_default(handover)
    if count := _assign_batch(handover, until):
        Handover.objects.filter(pk=handover.pk).update(tickets=F("tickets") + count)
        return count, True
    if handover.ends_notices and _end_notices(handover.person):
        return 0, True
    if Ticket.objects.open().filter(assignee=handover.person).exists():
        return 0, False  # somebody works on it at this moment
    _end(handover)
    outbox.enqueue_handover(handover)
    return 0, False


def _end(handover: Handover) -> None:
    handover.done_at = timezone.now()
    handover.save(update_fields=["done_at"])


def _replace_default(handover: Handover) -> None:
    person = working(handover.default_to_id)
    changed = Category.objects.filter(default_assignee=handover.person).update(default_assignee=person)
    if changed:
        Handover.objects.filter(pk=handover.pk).update(categories=F("categories") + changed)


def _assign_batch(handover: Handover, until: float | None) -> int:
    """Whoever works on a ticket in this moment is not waited for: it is taken in the next run."""
    can_skip, count = connection.features.has_select_for_update_skip_locked, 0
    to = working(handover.to_id)
    because = "" if working(handover.person_id) else Because.left(handover.person_id)
    tickets = Ticket.objects.open().filter(assignee=handover.person).order_by("pk")
    with actor.quietly():  # who is told is told once, at the end
        for ticket in tickets.select_for_update(skip_locked=can_skip)[:BATCH]:
            ticket.assign(to, because=because)
            count += 1
            if until is not None and time.monotonic() >= until:
                break
    return count


def _end_notices(person) -> bool:
    """Removes `person` from the people to notify and from watched tickets. Returns whether there were any."""
    notices, _by_model = Category.people.through.objects.filter(user=person).delete()
    watched = Watcher.objects.filter(person=person).order_by("pk")[:BATCH]
    with actor.quietly():
        for watcher in watched:
            watcher.delete()
    return bool(notices or watched)
