"""Undoes a change of details within the seconds that its emails wait: everything as before, and no email.

The log keeps both. The undo is a row of the same act (Verb.UNDONE), so pages show the two as one entry. What
the log does not hold (when the ticket was solved, since when it waits) comes with the button, signed for its
person.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts import actor
from tickets.history import recording
from tickets.models import ActivityLog, Notification, NotStaff, Ticket
from tickets.rules.events import EVENTS, Thing, Verb

State = Notification.State
OF_STATUS = {"status", "waiting_for"}  # what a later reply depends on, and Ticket.RESTORED


class CannotUndo(Exception):
    """The change stays. The message says why."""


@dataclass(frozen=True)
class Undo:
    """The change of one act on a ticket, and the ticket's stamps before it."""

    ticket_id: int
    batch: uuid.UUID
    stamps: dict[str, datetime | None]


@contextmanager
def undoable(ticket: Ticket, *, person) -> Iterator[None]:
    """Makes the change of the locked `ticket` inside one that `person` can undo.

    Afterwards `ticket.undo` is the text that the button sends, for read(); empty if nothing has changed.
    """
    stamps = stamps_of(ticket)
    with actor.undoably() as act:
        yield
    if ticket.activities.filter(batch=act.batch).exists():
        ticket.undo = written(ticket, stamps, batch=act.batch, person=person)


def stamps_of(ticket: Ticket) -> dict[str, str | None]:
    """Returns the stamps of the locked `ticket` before a change, for written()."""
    return {name: recording.raw(getattr(ticket, name)) for name in Ticket.RESTORED}


def written(ticket: Ticket, stamps: dict, *, batch: uuid.UUID, person) -> str:
    """Returns the text that lets `person` undo the change of `ticket`. Several are joined by spaces."""
    return signing.dumps([ticket.pk, str(batch), stamps], salt=_salt(person), compress=True)


def read(text: str, *, person) -> list[Undo]:
    """Returns what written() wrote for `person`; nothing for any other text."""
    try:
        return [_read(one, person) for one in text.split()]
    except signing.BadSignature:
        return []


def _read(text: str, person) -> Undo:
    number, batch, stamps = signing.loads(text, salt=_salt(person))
    moments = {name: moment and parse_datetime(moment) for name, moment in stamps.items()}
    return Undo(number, uuid.UUID(batch), moments)


def _salt(person) -> str:
    return f"tickets.undo.{person.pk}"


@transaction.atomic
def undo(change: Undo, ticket: Ticket, *, person) -> None:
    """Sets the locked `ticket` back, and removes the waiting emails. A repetition does nothing.

    Raises CannotUndo if an email has left, or if somebody has changed the same or replied meanwhile.
    """
    rows = list(ticket.activities.filter(batch=change.batch).oldest_first())
    if not rows or any(row.verb == Verb.UNDONE for row in rows):
        return
    before = {name: old for row in reversed(rows) for name, (old, _new) in row.changes.items()}
    _refuse_if_changed_since(ticket, rows[-1], before.keys())
    _remove_emails(rows)
    source = rows[0].source
    with recording.undoing(), actor.acting_as(person, source=source, batch=change.batch), actor.quietly():
        try:
            ticket.restore(_values(before), change.stamps if before.keys() & OF_STATUS else {})
        except (ValidationError, NotStaff) as error:
            raise CannotUndo(" ".join(getattr(error, "messages", [str(error)]))) from error


def _values(before: dict[str, Any]) -> dict[str, Any]:
    fields = [Ticket._meta.get_field(name) for name in before]
    return {field.attname: recording.stored(field, before[field.name]) for field in fields}


def _refuse_if_changed_since(ticket: Ticket, last: ActivityLog, names: Iterable[str]) -> None:
    names = set(names)
    for verb, changes in ticket.activities.filter(pk__gt=last.pk).values_list("verb", "changes"):
        event = EVENTS[verb]
        is_same = event.thing == Thing.TICKET and names & changes.keys()
        is_reply = event.says and event.is_public
        if is_same or (is_reply and names & OF_STATUS):
            raise CannotUndo(_("Not undone: the ticket was changed again meanwhile."))


def _remove_emails(rows: list[ActivityLog]) -> None:
    """A worker claims a row by changing its state, so this either stops the email or finds it claimed."""
    emails = Notification.objects.filter(activity__in=rows)
    emails.filter(state=State.WAITING).update(state=State.SUPPRESSED)
    if emails.exclude(state=State.SUPPRESSED).exists():
        raise CannotUndo(_("Too late to undo: the email has already been sent."))
    emails.delete()
