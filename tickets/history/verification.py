"""Checks that the activity log is complete: replays it and compares the result with the rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import QuerySet

from tickets.history.recording import snapshot
from tickets.models import ActivityLog, Attachment, Comment, Ticket, TicketLink, Watcher
from tickets.rules.events import EVENTS, Step, Thing, verbs

CHUNK = 2000


@dataclass(frozen=True)
class TicketPart:
    """Rows that belong to a ticket: their Thing in EVENTS, and the fields that identify them."""

    model: type
    name: str
    thing: Thing
    key: tuple[str, ...]

    @property
    def verbs(self) -> list[str]:
        return verbs(lambda event: event.thing == self.thing)


PARTS = (
    TicketPart(Attachment, "File", Thing.FILE, ("key",)),
    TicketPart(Comment, "Message", Thing.MESSAGE, ("key",)),
    TicketPart(Watcher, "Watcher", Thing.WATCHER, ("person",)),
    TicketPart(TicketLink, "Link", Thing.LINK, ("target", "kind")),
)


def problems() -> Iterator[str]:
    """Yields a sentence for everything that the log does not explain. Memory does not grow with the
    tables.
    """
    yield from _problems_of("", _stored_tickets(), _chains())
    for part in PARTS:
        yield from _problems_of(part.name, _stored_parts(part), _chains_of(part))


def replay(chain: Iterable[tuple[str, dict]]) -> tuple[dict[str, Any] | None, list[str]]:
    """Returns the fields after a chain of (verb, changes), None after a deletion, and a list of errors."""
    state: dict[str, Any] | None = None
    wrong = []
    for verb, changes in chain:
        step = EVENTS[verb].step if verb in EVENTS else None
        if step is None:
            wrong.append(f"the log has an event ({verb}) that nobody described")
        if state is None and step != Step.ADDED:
            wrong.append(f"the log goes on ({verb}) where there is nothing")
        state = state or {}
        for name, (old, new) in changes.items():
            if state.get(name) != old:
                wrong.append(f"{name} was {state.get(name)!r}, then the log changes it from {old!r}")
            state[name] = new
        if step == Step.REMOVED:
            state = None
    return state, wrong


def _problems_of(part: str, stored: Iterator[tuple], chains: Iterator[tuple]) -> Iterator[str]:
    """Walks both sides in the order of their keys, like the merge of two sorted lists."""
    row, chain = next(stored, None), next(chains, None)
    while row or chain:
        if chain is None or (row and row[0] < chain[0]):
            yield f"{_name(part, row[0])} is there, but not in the log."
            row = next(stored, None)
            continue
        key, events = chain
        is_there = row is not None and row[0] == key
        state, wrong = replay(events)
        yield from (f"{_name(part, key)}: {words}." for words in wrong)
        yield from (
            f"{_name(part, key)}: {words}." for words in _differences(state, row[1] if is_there else None)
        )
        if is_there:
            row = next(stored, None)
        chain = next(chains, None)


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


def _stored_parts(part: TicketPart) -> Iterator[tuple]:
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
    """Yields (number, [(verb, changes)]) of tickets, ordered by number."""
    rows = _log().exclude(verb__in=verbs(lambda event: event.thing != Thing.TICKET)).iterator(CHUNK)
    for ticket_id, group in groupby(rows, itemgetter(0)):
        yield ticket_id, [(verb, changes) for _ticket, verb, changes in group]


def _chains_of(part: TicketPart) -> Iterator[tuple]:
    """Yields ((number, key), [(verb, changes)]) of the parts of each ticket, ordered by key."""
    rows = _log().filter(verb__in=part.verbs).iterator(CHUNK)
    for ticket_id, group in groupby(rows, itemgetter(0)):
        by_key: dict[str, list] = {}
        for _ticket, verb, changes in group:
            side = 0 if EVENTS[verb].step == Step.REMOVED else 1
            key = _key(part, {name: change[side] for name, change in changes.items()})
            by_key.setdefault(key, []).append((verb, changes))
        yield from (((ticket_id, key), by_key[key]) for key in sorted(by_key))


def _key(part: TicketPart, values: dict[str, Any]) -> str:
    return " ".join(str(values[name]) for name in part.key)
