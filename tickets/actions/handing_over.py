"""Reassigns everything that a person who stopped working leaves behind.

The assignee of an open ticket works, or it has none (tickets.models.ticket_owner). When a person stops
working, a Handover is saved in the same transaction and carried out after it: immediately by the page on
which it was requested, else by the worker's job (specs/teams-and-levels.md, 1.2 and 1.3).
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from accounts import actor
from helpdesk import clock
from tickets.models import Category, Handover, Ticket, Watcher
from tickets.models.ticket_owner import Because, working
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.search.assignees import assignees

logger = logging.getLogger(__name__)

BATCH = 200  # tickets in one transaction
IN_REQUEST, IN_JOB = 10, 30  # seconds
# For this long, a transaction that began before the person stopped working may still assign a ticket to them.
STRAGGLERS = timedelta(minutes=10)


def update_handover(person, *, worked: bool) -> None:
    """Requests a handover when `person` stops working. Cancels it if the person works again."""
    if working(person.pk):
        Handover.objects.open().filter(person=person).delete()
    elif worked:
        Handover.objects.ask(person)


def left_open() -> TicketQuerySet:
    """Returns the open tickets that are assigned to people who do not work.

    Starts with these people, who are few or none: there may be many open tickets.
    """
    staff = get_user_model().objects.staff().order_by().values("pk")
    gone = assignees().exclude(pk__in=staff).order_by().values_list("pk", flat=True)
    return Ticket.objects.open().filter(assignee__in=list(gone)).order_by("pk")


def hand_over(person=None, *, seconds: float | None = IN_JOB, by_hand: bool = False) -> int:
    """Carries out the open handovers, or only that of `person`, for at most `seconds`; None: until the end.

    Takes nothing from a person who works again, except `by_hand`. Returns how many tickets were handed over.
    The next run continues with the rest.
    """
    until = None if seconds is None else time.monotonic() + seconds
    if person is None:
        _ask_for_late_assignments()
    waiting = Handover.objects.open().order_by("pk")
    if person is not None:
        waiting = waiting.filter(person=person)
    count = 0
    for number in list(waiting.values_list("pk", flat=True)):
        try:
            count += sum(_batches(number, until, by_hand=by_hand))
        except DatabaseError:  # a lock took too long: the next run continues
            logger.exception("Handover %s is not finished.", number)
    return count


def _ask_for_late_assignments() -> None:
    """Requests handovers for people who were assigned a ticket at the moment they stopped working."""
    recent = Handover.objects.filter(done_at__gt=clock.now() - STRAGGLERS).values_list("person", flat=True)
    people = set(recent)
    if people:
        late = left_open().filter(assignee__in=people).order_by().values("assignee")
        for person in get_user_model().objects.filter(pk__in=late):
            with actor.acting_as(None):
                Handover.objects.ask(person)


def _batches(number: int, until: float | None, *, by_hand: bool) -> Iterator[int]:
    """Hands over batch after batch, one transaction each. Yields the number of tickets in each."""
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
    """Locks and returns the handover; None if it is finished or another process has it."""
    can_skip = connection.features.has_select_for_update_skip_locked
    rows = Handover.objects.open().select_for_update(skip_locked=can_skip, of=("self",))
    return rows.select_related("person", "asked_by", "to", "default_to").filter(pk=number).first()


def _hand_over_batch(handover: Handover, until: float | None, *, by_hand: bool) -> tuple[int, bool]:
    """Hands over some tickets, or finishes the handover if none is left.

    Returns the number of tickets, and whether more can be done now.
    """
    if not by_hand and working(handover.person_id):  # the person returned meanwhile
        _end(handover)
        return 0, False
    _replace_default(handover)
    if count := _assign_batch(handover, until):
        Handover.objects.filter(pk=handover.pk).update(tickets=F("tickets") + count)
        return count, True
    if handover.ends_notices and _end_notices(handover.person):
        return 0, True
    if Ticket.objects.open().filter(assignee=handover.person).exists():
        return 0, False  # another process works on it now
    _end(handover)
    return 0, False


def _end(handover: Handover) -> None:
    handover.done_at = clock.now()
    handover.save(update_fields=["done_at"])


def _replace_default(handover: Handover) -> None:
    person = working(handover.default_to_id)
    changed = Category.objects.filter(default_assignee=handover.person).update(default_assignee=person)
    if changed:
        Handover.objects.filter(pk=handover.pk).update(categories=F("categories") + changed)


def _assign_batch(handover: Handover, until: float | None) -> int:
    """Skips tickets that another transaction has locked. The next run takes them."""
    can_skip, count = connection.features.has_select_for_update_skip_locked, 0
    to = working(handover.to_id)
    because = "" if working(handover.person_id) else Because.left(handover.person_id)
    tickets = Ticket.objects.open().filter(assignee=handover.person).order_by("pk")
    with actor.quietly():  # the handover's own email at the end notifies everybody once
        for ticket in tickets.select_for_update(skip_locked=can_skip)[:BATCH]:
            ticket.assign(to, because=because)
            count += 1
            if until is not None and time.monotonic() >= until:
                break
    return count


def _end_notices(person) -> bool:
    """Removes `person` from the people to notify and from watched tickets. Returns whether anything
    changed.
    """
    notices, _by_model = Category.people.through.objects.filter(user=person).delete()
    watched = Watcher.objects.filter(person=person).order_by("pk")[:BATCH]
    with actor.quietly():
        for watcher in watched:
            watcher.delete()
    return bool(notices or watched)
