"""Accounts for mail: what became of each row of the outbox and of each mail that came in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.db.models import Count, Q, QuerySet, TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.events import AccountMail
from accounts.paging import EPOCH, MICROSECOND
from tickets.events import Verb
from tickets.models import InboundEmail, Notification
from tickets.models.notification import CANARY, HANDED_OVER, HELD
from tickets.reports.figures import in_span
from tickets.reports.periods import Span
from tickets.search.query import ticket_number

KINDS = {
    **dict(Verb.choices),
    **dict(AccountMail.choices),
    CANARY: gettext_lazy("canary"),
    HANDED_OVER: gettext_lazy("handed over"),
    HELD: gettext_lazy("waiting for review"),
}
OF_A_REASON = (InboundEmail.State.IGNORED, InboundEmail.State.QUARANTINED)


class Direction(TextChoices):
    OUT = "out", gettext_lazy("out")
    IN = "in", gettext_lazy("in")


TABLES = {Direction.OUT: Notification, Direction.IN: InboundEmail}
TIMES = {Direction.OUT: "created_at", Direction.IN: "received_at"}
# Of two mails of one moment the one that came in is shown first.
RANKS = {Direction.OUT: 0, Direction.IN: 1}


@dataclass(frozen=True)
class Part:
    """What is counted: a direction, of it a state, of that a reason. As text: in.ignored.automatic."""

    direction: Direction
    state: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return ".".join(filter(None, (self.direction, self.state, self.reason)))

    @classmethod
    def parse(cls, text: str) -> "Part | None":
        """A part as str() writes it; None for anything else."""
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
        return _("all that went out") if self.direction == Direction.OUT else _("all that came in")

    @property
    def heading(self) -> str:
        """With its direction."""
        if not self.state:
            return self.label.capitalize()
        way = _("went out") if self.direction == Direction.OUT else _("came in")
        return f"{way.capitalize()}: {self.label}"

    def within(self, rows: QuerySet) -> QuerySet:
        wanted = {"state": self.state, "reason": self.reason}
        return rows.filter(**{name: value for name, value in wanted.items() if value})


@dataclass(frozen=True)
class Figure:
    part: Part
    count: int


@dataclass(frozen=True)
class Balance:
    """What became of the mail of a span. The states of a direction add up to all its rows."""

    out: list[Figure]
    came_in: list[Figure]
    letters: int  # distinct mails that left; rows of one act leave as one

    @property
    def all_out(self) -> Figure:
        return Figure(Part(Direction.OUT), _sum(self.out))

    @property
    def all_in(self) -> Figure:
        return Figure(Part(Direction.IN), _sum(self.came_in))


def _sum(figures: list[Figure]) -> int:
    return sum(figure.count for figure in figures if not figure.part.reason)


def balance(span: Span) -> Balance:
    rows = Notification.objects.filter(in_span("created_at", span)).order_by()
    by_state = dict(rows.values_list("state").annotate(Count("pk")))
    letters = rows.exclude(sent_at=None).aggregate(count=Count("message_id", distinct=True))["count"]
    out = [Figure(Part(Direction.OUT, state), by_state.get(state, 0)) for state in Notification.State.values]
    return Balance(out=out, came_in=list(_came_in(span)), letters=letters)


def _came_in(span: Span) -> Iterator[Figure]:
    """Each state and, below those that have several, its reasons."""
    rows = InboundEmail.objects.filter(in_span("received_at", span)).order_by()
    counts = list(rows.values_list("state", "reason").annotate(Count("pk")).order_by("reason"))
    for state in InboundEmail.State.values:
        reasons = {reason: count for found, reason, count in counts if found == state}
        yield Figure(Part(Direction.IN, state), sum(reasons.values()))
        for reason, count in reasons.items():
            if reason and state in OF_A_REASON:
                yield Figure(Part(Direction.IN, state, reason), count)


@dataclass(frozen=True)
class Place:
    """Where a page of the list begins: after the mail of this moment, direction and number."""

    moment: datetime
    direction: Direction
    number: int

    def __str__(self) -> str:
        return f"{(self.moment - EPOCH) // MICROSECOND}.{self.direction}.{self.number}"

    @classmethod
    def of(cls, mail) -> "Place":
        direction = direction_of(mail)
        return cls(getattr(mail, TIMES[direction]), direction, mail.pk)

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """A place as str() writes it; None for anything else."""
        moment, direction, number = (text.split(".") + ["", "", ""])[:3]
        is_number = all(part.isascii() and part.isdigit() and len(part) <= 18 for part in (moment, number))
        if not is_number or direction not in Direction:
            return None
        try:
            return cls(EPOCH + int(moment) * MICROSECOND, Direction(direction), int(number))
        except OverflowError:
            return None

    def older(self, direction: Direction) -> Q:
        """The mails of a direction that come after this place in a list with the newest first."""
        time = TIMES[direction]
        if direction == self.direction:
            # Not "older, or of the same moment and": an OR spoils the index (../shared/PERFORMANCE.md).
            return Q((f"{time}__lte", self.moment)) & ~Q((time, self.moment), pk__gte=self.number)
        comes_after = RANKS[direction] < RANKS[self.direction]
        return Q((f"{time}__lte" if comes_after else f"{time}__lt", self.moment))

    @property
    def key(self) -> tuple:
        return self.moment, RANKS[self.direction], self.number


def direction_of(mail) -> Direction:
    return Direction.OUT if isinstance(mail, Notification) else Direction.IN


def newest(span: Span, *, count: int, part: Part | None = None, words: str = "", after: Place | None = None):
    """Up to `count` mails of both directions, the newest first: a list of Notification and InboundEmail."""
    directions = [part.direction] if part else list(Direction)
    found = []
    for direction in directions:
        rows = _rows(direction, words).filter(in_span(TIMES[direction], span))
        rows = part.within(rows) if part else rows
        rows = rows.filter(after.older(direction)) if after else rows
        found.append(rows.order_by(f"-{TIMES[direction]}", "-pk")[:count])
    return list(islice(merge(*found, key=lambda mail: Place.of(mail).key, reverse=True), count))


def _rows(direction: Direction, words: str) -> QuerySet:
    """All mails of a direction that have `words` in an address or a subject, or are about that ticket."""
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
