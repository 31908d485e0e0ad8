"""Counts and lists all emails: rows of the outbox and incoming messages by their state."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.db.models import Count, Q, QuerySet, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.events import AccountMail
from helpdesk.lists.paging import EPOCH, MICROSECOND
from tickets.models import InboundEmail, Notification
from tickets.models.notification import (
    CANARY,
    HANDED_OVER,
    HELD,
    IS_THIS_YOU,
    RECEIVED_WAITS,
    WEEKLY_REPORT,
)
from tickets.reports.figures import in_span
from tickets.reports.periods import Span
from tickets.rules.events import CHOICES
from tickets.search.query import ticket_number

KINDS = {
    **dict(CHOICES),
    **dict(AccountMail.choices),
    CANARY: gettext_lazy("canary"),
    HANDED_OVER: gettext_lazy("handed over"),
    HELD: gettext_lazy("waiting for review"),
    RECEIVED_WAITS: gettext_lazy("waiting for review, to a new sender"),
    IS_THIS_YOU: gettext_lazy("question about a reply"),
    WEEKLY_REPORT: gettext_lazy("weekly report"),
}
OF_A_REASON = (InboundEmail.State.IGNORED, InboundEmail.State.QUARANTINED)


class Direction(TextChoices):
    OUT = "out", gettext_lazy("Outgoing")
    IN = "in", gettext_lazy("Incoming")


TABLES = {Direction.OUT: Notification, Direction.IN: InboundEmail}
TIMES = {Direction.OUT: "created_at", Direction.IN: "received_at"}
# Of two emails at the same time, the incoming one is shown first.
RANKS = {Direction.OUT: 0, Direction.IN: 1}


@dataclass(frozen=True)
class MailGroup:
    """A group of emails: a direction, optionally a state and a reason. As text: in.ignored.automatic."""

    direction: Direction
    state: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return ".".join(filter(None, (self.direction, self.state, self.reason)))

    @classmethod
    def parse(cls, text: str) -> "MailGroup | None":
        """Parses what str() writes; None for anything else."""
        names = text.split(".")
        if len(names) > 3 or names[0] not in Direction:
            return None
        table = TABLES[Direction(names[0])]
        if len(names) > 1 and names[1] not in table.State:
            return None
        if len(names) > 2 and (table is not InboundEmail or names[2] not in InboundEmail.Reason):
            return None
        return cls(Direction(names[0]), *names[1:])

    @property
    def label(self) -> str:
        if self.reason:
            return InboundEmail.Reason(self.reason).label
        if self.state:
            return TABLES[self.direction].State(self.state).label
        return _("total sent") if self.direction == Direction.OUT else _("total received")

    @property
    def heading(self) -> str:
        """The label with the direction."""
        if not self.state:
            return self.label.capitalize()
        if self.direction == Direction.OUT:
            return _("Outgoing: %(state)s") % {"state": self.label}
        return _("Incoming: %(state)s") % {"state": self.label}

    def within(self, rows: QuerySet) -> QuerySet:
        wanted = {"state": self.state, "reason": self.reason}
        return rows.filter(**{name: value for name, value in wanted.items() if value})


@dataclass(frozen=True)
class MailGroupCount:
    part: MailGroup
    count: int


@dataclass(frozen=True)
class Balance:
    """The emails of a span by state. The states of a direction add up to all its rows."""

    out: list[MailGroupCount]
    came_in: list[MailGroupCount]
    letters: int  # sent emails; rows of one action are sent as one email

    @property
    def all_out(self) -> MailGroupCount:
        return MailGroupCount(MailGroup(Direction.OUT), _sum(self.out))

    @property
    def all_in(self) -> MailGroupCount:
        return MailGroupCount(MailGroup(Direction.IN), _sum(self.came_in))


def _sum(figures: list[MailGroupCount]) -> int:
    return sum(figure.count for figure in figures if not figure.part.reason)


def balance(span: Span) -> Balance:
    rows = Notification.objects.filter(in_span("created_at", span)).order_by()
    by_state = dict(rows.values_list("state").annotate(Count("pk")))
    letters = rows.exclude(sent_at=None).aggregate(count=Count("message_id", distinct=True))["count"]
    out = [
        MailGroupCount(MailGroup(Direction.OUT, state), by_state.get(state, 0))
        for state in Notification.State.values
    ]
    return Balance(out=out, came_in=list(_came_in(span)), letters=letters)


def _came_in(span: Span) -> Iterator[MailGroupCount]:
    """Each state and, if there are several, its reasons."""
    rows = InboundEmail.objects.filter(in_span("received_at", span)).order_by()
    counts = list(rows.values_list("state", "reason").annotate(Count("pk")).order_by("reason"))
    for state in InboundEmail.State.values:
        reasons = {reason: count for found, reason, count in counts if found == state}
        yield MailGroupCount(MailGroup(Direction.IN, state), sum(reasons.values()))
        for reason, count in reasons.items():
            if reason and state in OF_A_REASON:
                yield MailGroupCount(MailGroup(Direction.IN, state, reason), count)


@dataclass(frozen=True)
class MailCursor:
    """The position in the list after which a page starts: time, direction and number of an email."""

    moment: datetime
    direction: Direction
    number: int

    def __str__(self) -> str:
        return f"{(self.moment - EPOCH) // MICROSECOND}.{self.direction}.{self.number}"

    @classmethod
    def of(cls, mail) -> "MailCursor":
        direction = direction_of(mail)
        return cls(getattr(mail, TIMES[direction]), direction, mail.pk)

    @classmethod
    def parse(cls, text: str) -> "MailCursor | None":
        """Parses what str() writes; None for anything else."""
        moment, direction, number = (text.split(".") + ["", "", ""])[:3]
        is_number = all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (moment, number))
        if not is_number or direction not in Direction:
            return None
        try:
            return cls(EPOCH + int(moment) * MICROSECOND, Direction(direction), int(number))
        except OverflowError:
            return None

    def older(self, direction: Direction) -> Q:
        """A condition for the emails of a direction after this place, in a list with the newest first."""
        time = TIMES[direction]
        if direction == self.direction:
            # An exclusion instead of an OR, with which the database would not use the index.
            return Q((f"{time}__lte", self.moment)) & ~Q((time, self.moment), pk__gte=self.number)
        comes_after = RANKS[direction] < RANKS[self.direction]
        return Q((f"{time}__lte" if comes_after else f"{time}__lt", self.moment))

    @property
    def key(self) -> tuple:
        return self.moment, RANKS[self.direction], self.number


def direction_of(mail) -> Direction:
    return Direction.OUT if isinstance(mail, Notification) else Direction.IN


def newest(
    span: Span, *, count: int, part: MailGroup | None = None, words: str = "", after: MailCursor | None = None
):
    """Up to `count` emails of both directions, the newest first: a list of Notification and InboundEmail."""
    directions = [part.direction] if part else list(Direction)
    found = []
    for direction in directions:
        rows = _rows(direction, words).filter(in_span(TIMES[direction], span))
        rows = part.within(rows) if part else rows
        rows = rows.filter(after.older(direction)) if after else rows
        found.append(rows.order_by(f"-{TIMES[direction]}", "-pk")[:count])
    return list(islice(merge(*found, key=lambda mail: MailCursor.of(mail).key, reverse=True), count))


def _rows(direction: Direction, words: str) -> QuerySet:
    """All emails of a direction with `words` in an address or a subject, or about that ticket."""
    if direction == Direction.OUT:
        rows, fields = Notification.objects.select_related("ticket"), ("address", "ticket__subject")
    else:
        rows = InboundEmail.objects.without_raw().select_related("ticket")
        fields = ("sender", "recipient", "subject")
    if not words:
        return rows
    found = Q.create([(f"{field}__icontains", words) for field in fields], connector=Q.OR)
    if number := ticket_number(words):
        found |= Q(ticket_id=number)
    return rows.filter(found)
