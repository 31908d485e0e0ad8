"""Proves that the activity log is complete: replays it and compares the end with the rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import QuerySet

from tickets.activity_log import snapshot
from tickets.events import Verb
from tickets.models import ActivityLog, Attachment, Comment, Ticket, TicketLink, Watcher

CHUNK = 2000


@dataclass(frozen=True)
class Part:
    """Rows that belong to a ticket: the verbs that log them, and the fields that tell them apart."""

    model: type
    name: str
    added: frozenset[str]
    removed: str
    key: tuple[str, ...]

    @property
    def verbs(self) -> frozenset[str]:
        return self.added | {self.removed}


PARTS = (
    Part(Attachment, "File", frozenset({Verb.FILE_ADDED}), Verb.FILE_REMOVED, ("key",)),
    Part(Comment, "Message", frozenset({Verb.REPLIED, Verb.NOTED}), Verb.TAKEN_BACK, ("key",)),
    Part(Watcher, "Watcher", frozenset({Verb.WATCHER_ADDED}), Verb.WATCHER_REMOVED, ("person",)),
    Part(TicketLink, "Link", frozenset({Verb.LINKED}), Verb.UNLINKED, ("target", "kind")),
)
BEGINNINGS = {Verb.CREATED, *(verb for part in PARTS for verb in part.added)}
ENDS = {Verb.DELETED, *(part.removed for part in PARTS)}
VERBS_OF_PARTS = {verb for part in PARTS for verb in part.verbs}


def problems() -> Iterator[str]:
    """One plain sentence for everything that the log can't explain. Memory does not grow with the tables."""
    yield from _problems_of("", _stored_tickets(), _chains())
    for part in PARTS:
        yield from _problems_of(part.name, _stored_parts(part), _chains_of(part))


def replay(chain: Iterable[tuple[str, dict]]) -> tuple[dict[str, Any] | None, list[str]]:
    """The fields that a chain of (verb, changes) leads to, None after a deletion, and what is wrong."""
    state: dict[str, Any] | None = None
    wrong = []
    for verb, changes in chain:
        if state is None and verb not in BEGINNINGS:
            wrong.append(f"the log goes on ({verb}) where there is nothing")
        state = state or {}
        for name, (old, new) in changes.items():
            if state.get(name) != old:
                wrong.append(f"{name} was {state.get(name)!r}, then the log changes it from {old!r}")
            state[name] = new
        if verb in ENDS:
            state = None
    return state, wrong


def _problems_of(part: str, stored: Iterator[tuple], chains: Iterator[tuple]) -> Iterator[str]:
    """Walks both sides in the order of their keys, like the merge of two sorted lists."""
    nothing = (None, None)
    row, chain = next(stored, nothing), next(chains, nothing)
    while row[0] is not None or chain[0] is not None:
        if chain[0] is None or (row[0] is not None and row[0] < chain[0]):
            yield f"{_name(part, row[0])} is there, but not in the log."
            row = next(stored, nothing)
            continue
        key = chain[0]
        state, wrong = replay(chain[1])
        yield from (f"{_name(part, key)}: {words}." for words in wrong)
        present = row[1] if row[0] == key else None
        yield from (f"{_name(part, key)}: {words}." for words in _differences(state, present))
        if row[0] == key:
            row = next(stored, nothing)
        chain = next(chains, nothing)


def _differences(logged: dict | None, present: dict | None) -> Iterator[str]:
    if logged is None and present is not None:
        yield "the log says that it is deleted, but it is there"
    elif logged is not None and present is None:
        yield "it is gone, but the log does not say so"
    elif logged is not None and present is not None:
        for name, value in present.items():
            if logged.get(name) != value:
                yield f"{name} is {value!r}, but the log ends with {logged.get(name)!r}"


def _name(part: str, key) -> str:
    return f"{part} {key[1]} of #{key[0]}" if part else f"#{key}"


def _stored_tickets() -> Iterator[tuple]:
    attributes = [Ticket._meta.get_field(name).attname for name in Ticket.TRACKED]
    for row in Ticket.objects.order_by("pk").values("pk", *attributes).iterator(CHUNK):
        yield row["pk"], snapshot(Ticket, row)


def _stored_parts(part: Part) -> Iterator[tuple]:
    attributes = [part.model._meta.get_field(name).attname for name in part.model.TRACKED]
    rows = part.model.objects.order_by("ticket_id").values("ticket_id", *attributes).iterator(CHUNK)
    for ticket_id, group in groupby(rows, itemgetter("ticket_id")):
        by_key = {}
        for row in group:
            values = snapshot(part.model, row)
            by_key[_key(part, values)] = values
        yield from (((ticket_id, key), by_key[key]) for key in sorted(by_key))


def _log() -> QuerySet:
    return ActivityLog.objects.order_by("ticket_id", "pk").values_list("ticket_id", "verb", "changes")


def _chains() -> Iterator[tuple]:
    """(number, [(verb, changes)]) of tickets, in the order of their numbers."""
    rows = _log().exclude(verb__in=VERBS_OF_PARTS).iterator(CHUNK)
    for ticket_id, group in groupby(rows, itemgetter(0)):
        yield ticket_id, [(verb, changes) for _ticket, verb, changes in group]


def _chains_of(part: Part) -> Iterator[tuple]:
    """((number, key), [(verb, changes)]) of the parts of each ticket, in the order of their keys."""
    rows = _log().filter(verb__in=part.verbs).iterator(CHUNK)
    for ticket_id, group in groupby(rows, itemgetter(0)):
        by_key: dict[str, list] = {}
        for _ticket, verb, changes in group:
            side = 0 if verb == part.removed else 1
            key = _key(part, {name: change[side] for name, change in changes.items()})
            by_key.setdefault(key, []).append((verb, changes))
        yield from (((ticket_id, key), by_key[key]) for key in sorted(by_key))


def _key(part: Part, values: dict[str, Any]) -> str:
    return " ".join(str(values[name]) for name in part.key)
