"""Proves that the activity log is complete: replays it and compares the end with the rows."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from tickets.activity_log import snapshot
from tickets.events import Verb
from tickets.models import ActivityLog, Attachment, Ticket

FILE_VERBS = {Verb.FILE_ADDED, Verb.FILE_REMOVED}
CHUNK = 2000


def problems() -> Iterator[str]:
    """One plain sentence for everything that the log can't explain. Memory does not grow with the tables."""
    yield from _problems_of(Ticket, _stored_tickets(), _chains(is_file=False))
    yield from _problems_of(Attachment, _stored_attachments(), _chains(is_file=True))


def replay(chain: Iterable[tuple[str, dict]]) -> tuple[dict[str, Any] | None, list[str]]:
    """The fields that a chain of (verb, changes) leads to, None after a deletion, and what is wrong."""
    state: dict[str, Any] | None = None
    wrong = []
    for verb, changes in chain:
        if state is None and verb not in (Verb.CREATED, Verb.FILE_ADDED):
            wrong.append(f"the log goes on ({verb}) where there is nothing")
        state = state or {}
        for name, (old, new) in changes.items():
            if state.get(name) != old:
                wrong.append(f"{name} was {state.get(name)!r}, then the log changes it from {old!r}")
            state[name] = new
        if verb in (Verb.DELETED, Verb.FILE_REMOVED):
            state = None
    return state, wrong


def _problems_of(model, stored: Iterator[tuple], chains: Iterator[tuple]) -> Iterator[str]:
    """Walks both sides in the order of their keys, like the merge of two sorted lists."""
    nothing = (None, None)
    row, chain = next(stored, nothing), next(chains, nothing)
    while row[0] is not None or chain[0] is not None:
        if chain[0] is None or (row[0] is not None and row[0] < chain[0]):
            yield f"{_name(model, row[0])} is there, but not in the log."
            row = next(stored, nothing)
            continue
        key = chain[0]
        state, wrong = replay(chain[1])
        yield from (f"{_name(model, key)}: {words}." for words in wrong)
        present = row[1] if row[0] == key else None
        yield from (f"{_name(model, key)}: {words}." for words in _differences(state, present))
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


def _name(model, key) -> str:
    return f"#{key}" if model is Ticket else f"File {key[1]} of #{key[0]}"


def _stored_tickets() -> Iterator[tuple]:
    attributes = [Ticket._meta.get_field(name).attname for name in Ticket.TRACKED]
    for row in Ticket.objects.order_by("pk").values("pk", *attributes).iterator(CHUNK):
        yield row["pk"], snapshot(Ticket, row)


def _stored_attachments() -> Iterator[tuple]:
    rows = Attachment.objects.order_by("ticket_id").values("ticket_id", *Attachment.TRACKED).iterator(CHUNK)
    for ticket_id, group in groupby(rows, itemgetter("ticket_id")):
        for row in sorted(group, key=itemgetter("key")):
            yield (ticket_id, row["key"]), snapshot(Attachment, row)


def _chains(*, is_file: bool) -> Iterator[tuple]:
    """(key, [(verb, changes)]) in the order of keys: of tickets, or of the files of each ticket."""
    log = ActivityLog.objects.order_by("ticket_id", "pk")
    log = log.filter(verb__in=FILE_VERBS) if is_file else log.exclude(verb__in=FILE_VERBS)
    rows = log.values_list("ticket_id", "verb", "changes").iterator(CHUNK)
    for ticket_id, group in groupby(rows, itemgetter(0)):
        if not is_file:
            yield ticket_id, [(verb, changes) for _ticket, verb, changes in group]
            continue
        by_key: dict[str, list] = {}
        for _ticket, verb, changes in group:
            by_key.setdefault(changes["key"][0] or changes["key"][1], []).append((verb, changes))
        yield from (((ticket_id, key), by_key[key]) for key in sorted(by_key))
