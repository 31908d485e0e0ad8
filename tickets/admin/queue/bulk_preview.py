"""What a bulk change does to each ticket and who is emailed. Applying it compares what was shown."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from tickets.admin.queue.bulk_changes import BulkChange
from tickets.models import Ticket
from tickets.notifications import audiences

DIGITS = 12  # of a hash


def digest(*parts) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:DIGITS]


@dataclass(frozen=True)
class Seen:
    """What the preview showed of a ticket: the stored value, and a hash of its line."""

    value: str
    line: str

    @classmethod
    def parse(cls, text: str) -> "Seen":
        value, _colon, line = text.partition(":")
        return cls(value, line)

    def __str__(self):
        return f"{self.value}:{self.line}"


NOT_SEEN = Seen("", "")  # of a ticket that no longer exists


@dataclass(frozen=True)
class PreviewLine:
    """A ticket of the preview."""

    ticket: Ticket
    stored: str
    old: str
    new: str
    refusal: str
    stays: bool
    people: list

    @property
    def changes(self) -> bool:
        return not (self.refusal or self.stays)

    @cached_property
    def seen(self) -> Seen:
        people = sorted(person.pk for person in self.people)
        return Seen(self.stored, digest(self.old, self.new, self.refusal, self.stays, people))


def preview(change: BulkChange, value, tickets: list[Ticket], *, actor) -> list[PreviewLine]:
    """Computes the change of each ticket and who is emailed, in a constant number of queries."""
    facts = [change.facts(ticket, value) for ticket in tickets]
    notified = audiences.recipients_of_many(change.verb, facts, actor=actor)
    return [_line(change, value, ticket, people) for ticket, people in zip(tickets, notified, strict=True)]


def _line(change: BulkChange, value, ticket: Ticket, people) -> PreviewLine:
    old, new = change.words(ticket, value)
    refusal, stays = change.refusal(ticket, value), change.stays(ticket, value)
    emailed = [] if refusal or stays else list(people)
    return PreviewLine(ticket, change.stored(ticket), old, new, str(refusal), stays, emailed)
