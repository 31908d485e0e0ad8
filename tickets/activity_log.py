"""The only writer of ActivityLog: what changed, which verbs that makes, and the rows."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from accounts import actor
from tickets.events import Verb, activity_recorded
from tickets.models import ActivityLog, Comment, Ticket
from tickets.tracking import TrackedModel

# What a change of a field is called; of any other, edited.
VERBS = {
    "status": Verb.STATUS_CHANGED,
    "waiting_for": Verb.STATUS_CHANGED,
    "wakes_on": Verb.STATUS_CHANGED,
    "assignee": Verb.ASSIGNED,
    "reminded_at": Verb.REMINDED,
    "confirmed_at": Verb.CONFIRMED,
    "not_fixed_at": Verb.NOT_FIXED,
    "merged_into": Verb.MERGED,
}
# What it is called where the field becomes empty.
VERBS_OF_EMPTYING = {
    "reminded_at": Verb.STATUS_CHANGED,
    "confirmed_at": Verb.STATUS_CHANGED,
    "merged_into": Verb.UNMERGED,
}
# Fields that go with another one, and are called as its change is.
COMPANIONS = {"closes_at": "reminded_at", "assigned_because": "assignee"}

Changes = dict[str, list[Any]]


def raw(value: Any) -> Any:
    """A value as JSON keeps it without loss. An empty text is nothing, like None."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if value == "":
        return None
    return str(value) if isinstance(value, uuid.UUID) else value


def snapshot(model: type[TrackedModel], values: dict[str, Any] | None) -> dict[str, Any]:
    """The tracked fields by name, from stored_values(); empty for a row that is not there."""
    if values is None:
        return {}
    return {name: raw(values[model._meta.get_field(name).attname]) for name in model.TRACKED}


def snapshot_of(row: TrackedModel) -> dict[str, Any]:
    """The tracked fields of `row` as it is in memory."""
    attributes = (row._meta.get_field(name).attname for name in row.TRACKED)
    return snapshot(type(row), {attribute: getattr(row, attribute) for attribute in attributes})


def diff(old: dict[str, Any], new: dict[str, Any]) -> Changes:
    """{field: [old, new]} of what differs; None stands for no row."""
    names = dict.fromkeys([*old, *new])
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def verbs_for(changes: Changes) -> dict[Verb, Changes]:
    """The changes of an existing row by the verb that they make."""
    by_verb: dict[Verb, Changes] = {}
    for name, change in changes.items():
        leader = COMPANIONS.get(name, name)
        is_emptied = changes.get(leader, change)[1] is None
        verbs = VERBS | VERBS_OF_EMPTYING if is_emptied else VERBS
        by_verb.setdefault(verbs.get(leader, Verb.EDITED), {})[name] = change
    return by_verb


def record(instance: TrackedModel, *, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    """Writes what happened to `instance` between two stored_values(): one row for each verb, then rings."""
    if before is None and after is None:
        return  # somebody else has deleted it meanwhile, and that is logged
    model = type(instance)
    changes = diff(snapshot(model, before), snapshot(model, after))
    if before is None:
        by_verb = {instance.ADDED: changes}
    elif after is None:
        by_verb = {instance.REMOVED: changes}
    else:
        by_verb = verbs_for(changes)
    for verb, part in by_verb.items():
        activity = _row(instance.logged_ticket_id, verb, part)
        activity.together = changes
        activity.save(force_insert=True)
        activity_recorded.send(sender=ActivityLog, activity=activity)


def record_bulk(tickets: Iterable[Ticket], *, source: str = actor.IMPORT) -> None:
    """Writes CREATED for tickets that TrackedQuerySet.bulk_load() inserted. Rings nobody: no mail."""
    rows = []
    for ticket in tickets:
        row = _row(ticket.pk, Verb.CREATED, diff({}, snapshot_of(ticket)), source=source)
        row.recorded_at = ticket.created_at
        rows.append(row)
    append(rows)


@dataclass(frozen=True)
class PastAct:
    """One act of a history that happened elsewhere; `fields` are the tracked ones it left, as raw values.

    `comment` is what was said with it.
    """

    at: datetime
    actor: Any
    source: str
    fields: dict[str, Any]
    comment: Comment | None = None


def history(ticket_id: int, acts: Iterable[PastAct]) -> Iterator[ActivityLog]:
    """The unsaved rows that `acts` would have left, the first of which filed the ticket. For append()."""
    before: dict[str, Any] = {}
    for act in acts:
        changes = diff(before, act.fields)
        parts = list((verbs_for(changes) if before else {Verb.CREATED: changes}).items())
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


def append(rows: Iterable[ActivityLog]) -> None:
    """Inserts rows of a history that happened elsewhere (demo data, another system). Rings nobody."""
    ActivityLog.objects.bulk_create(rows, batch_size=1000)


def _row(ticket_id: int, verb: Verb, changes: Changes, *, source: str | None = None) -> ActivityLog:
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
