"""The only writer of ActivityLog: computes the changes and their verbs, and saves the rows."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Field

from accounts import actor
from tickets.models import ActivityLog, Comment, Ticket
from tickets.models.tracking import TrackedModel
from tickets.rules.events import EVENTS, Verb, activity_recorded, verbs_of_fields

Changes = dict[str, list[Any]]
_pending: ContextVar[list[ActivityLog] | None] = ContextVar("pending", default=None)
_undone_as: ContextVar[Verb | None] = ContextVar("undone_as", default=None)


def raw(value: Any) -> Any:
    """Converts a value to JSON without loss. Stores an empty string as None."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if value == "":
        return None
    return str(value) if isinstance(value, uuid.UUID) else value


def stored(field: Field, value: Any) -> Any:
    """Returns what raw() converted: the value of `field` that the log holds as `value`."""
    if value is None:
        return None if field.null else ""
    return field.to_python(value)


def snapshot(model: type[TrackedModel], values: dict[str, Any] | None) -> dict[str, Any]:
    """Returns the tracked fields by name, from stored_values(); empty if there is no row."""
    if values is None:
        return {}
    return {name: raw(values[model._meta.get_field(name).attname]) for name in model.TRACKED}


def snapshot_of(row: TrackedModel) -> dict[str, Any]:
    """Returns the tracked fields of `row` as they are in memory."""
    attributes = (row._meta.get_field(name).attname for name in row.TRACKED)
    return snapshot(type(row), {attribute: getattr(row, attribute) for attribute in attributes})


def diff(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """Returns {field: [old, new]} for the differences. None stands for no row."""
    names = dict.fromkeys([*old, *new])
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def verbs_for(changes: Changes) -> dict[str, Changes]:
    """Groups the changes of an existing row by the verb that they make."""
    by_verb: dict[str, Changes] = {}
    emptied = {name for name, (_old, new) in changes.items() if new is None}
    for name, verb in verbs_of_fields(changes.keys(), emptied).items():
        by_verb.setdefault(verb, {})[name] = changes[name]
    return by_verb


def record(instance: TrackedModel, *, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    """Logs the difference between two stored_values() of `instance`: one row and one signal for each verb.

    Raises UndescribedEvent for a verb that is not in EVENTS.
    """
    if before is None and after is None:
        return  # another process has deleted it meanwhile, and logged that
    model = type(instance)
    changes = diff(snapshot(model, before), snapshot(model, after))
    if before is None:
        by_verb = {instance.ADDED: changes}
    elif after is None:
        by_verb = {instance.REMOVED: changes}
    elif undone_as := _undone_as.get():
        by_verb = {undone_as: changes}
    else:
        by_verb = verbs_for(changes)
    for verb, part in by_verb.items():
        activity = _row(instance.logged_ticket_id, verb, part)
        activity.together = changes
        pending = _pending.get()
        if pending is None:
            activity.save()
            activity_recorded.send(sender=ActivityLog, activities=[activity])
        else:
            pending.append(activity)


@contextmanager
def together() -> Iterator[None]:
    """Writes the rows of all saves in this block at its end, in one statement, and sends one signal.

    For one act on many tickets. An exception leaves all rows unwritten, so it has to end the transaction.
    """
    rows: list[ActivityLog] = []
    token = _pending.set(rows)
    try:
        yield
    finally:
        _pending.reset(token)
    if rows:
        append(rows)
        activity_recorded.send(sender=ActivityLog, activities=rows)


@contextmanager
def undoing() -> Iterator[None]:
    """Logs what is set back inside as UNDONE."""
    token = _undone_as.set(Verb.UNDONE)
    try:
        yield
    finally:
        _undone_as.reset(token)


def record_bulk(tickets: Iterable[Ticket], *, source: str = actor.IMPORT) -> None:
    """Writes CREATED for tickets that TrackedQuerySet.bulk_load() inserted. Sends no signal, so no email."""
    rows = []
    for ticket in tickets:
        row = _row(ticket.pk, Verb.CREATED, diff({}, snapshot_of(ticket)), source=source)
        row.recorded_at = ticket.created_at
        rows.append(row)
    append(rows)


@dataclass(frozen=True)
class PastAct:
    """One act of an imported history. `fields` are the raw tracked values after it.

    `comment` is the message that belongs to it.
    """

    at: datetime
    actor: Any
    source: str
    fields: dict[str, Any]
    comment: Comment | None = None


def history(ticket_id: int, acts: Iterable[PastAct]) -> Iterator[ActivityLog]:
    """Yields the unsaved rows that `acts` would have logged. The first act filed the ticket. For append()."""
    before: dict[str, Any] = {}
    for act in acts:
        changes = diff(before, act.fields)
        parts = list(verbs_for(changes).items()) if before else [(str(Verb.CREATED), changes)]
        if act.comment is not None:
            parts.insert(0, (act.comment.ADDED, diff({}, snapshot_of(act.comment))))
        batch = uuid.uuid4()
        for verb, part in parts:
            yield ActivityLog(
                ticket_id=ticket_id,
                verb=verb,
                changes=part,
                actor=act.actor,
                actor_name=str(act.actor) if act.actor else "",
                source=act.source,
                batch=batch,
                recorded_at=act.at,
            )
        before = act.fields


def stamp_from(ticket: Ticket, acts: list[PastAct]) -> None:
    """Sets version, last change and last public change on the unsaved `ticket` as `acts` would have."""
    ticket.updated_at, ticket.version = acts[-1].at, len(acts)
    before: dict[str, Any] = {}
    for act in acts:
        is_said = act.comment is not None and act.comment.is_public
        if is_said or diff(before, act.fields).keys() - Ticket.INTERNAL_FIELDS:
            ticket.public_at = act.at
        before = act.fields


def append(rows: Iterable[ActivityLog]) -> None:
    """Inserts the rows of an imported history (demo data, another system). Sends no signal."""
    ActivityLog.objects.bulk_create(rows, batch_size=1000)


def _row(ticket_id: int, verb: str, changes: Changes, *, source: str | None = None) -> ActivityLog:
    EVENTS[verb]  # raises UndescribedEvent for a verb without an Event
    context = actor.current()
    person = context.user
    return ActivityLog(
        ticket_id=ticket_id,
        verb=verb,
        changes=changes,
        actor=person,
        actor_name=str(person) if person else "",
        source=source or context.source,
        batch=context.batch,
    )
