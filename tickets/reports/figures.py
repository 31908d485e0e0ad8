"""The figures of a report, as SQL aggregates. Merged tickets are excluded, because their target counts."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.models import ActivityLog, Notification, Status, Ticket
from tickets.models.activity_log import StatusBefore
from tickets.reports.periods import DAY, Comparison, Span
from tickets.rules.events import Verb
from tickets.rules.workflow import Phase

MOST_FEEDBACK = 20  # texts in a report
# Ages of open tickets in days: from the first number up to the second.
AGES = ((0, 1), (1, 3), (3, 7), (7, 30), (30, None))


def counted() -> QuerySet:
    return Ticket.objects.filter(merged_into=None).order_by()


@dataclass(frozen=True)
class Pair:
    """A figure of a span and of the previous span."""

    now: float | None
    before: float | None


def in_span(field: str, span: Span) -> Q:
    return Q((f"{field}__gte", span.start), (f"{field}__lt", span.end))


def in_either(field: str, compared: Comparison) -> Q:
    """A condition for the span and the previous span. Starts with the range, so that it uses an index."""
    is_between = Q((f"{field}__gte", compared.before.end), (f"{field}__lt", compared.span.start))
    within = in_span(field, compared.whole)
    return within if compared.before.end == compared.span.start else within & ~is_between


def halves(field: str, compared: Comparison) -> tuple[Q, Q]:
    """Conditions that split in_either() into the span and the previous span."""
    return Q((f"{field}__gte", compared.span.start)), Q((f"{field}__lt", compared.span.start))


COUNTS = ("created", "created_before", "solved", "solved_before")
MOMENTS = {"created": "created_at", "solved": "done_at"}
DIMENSIONS = {"created": ("category", "priority"), "solved": ("category", "priority", "assignee")}


class Tally:
    """COUNTS by category, priority and assignee (only solved tickets): {dimension: {key: Counter}}."""

    def __init__(self):
        self.by: dict[str, dict[Any, Counter]] = {name: defaultdict(Counter) for name in DIMENSIONS["solved"]}

    def add(self, dimension: str, key: Any, name: str, count: int) -> None:
        if count:
            self.by[dimension][key][name] += count

    @property
    def total(self) -> Counter:
        return sum(self.by["category"].values(), Counter())


def created_and_solved(compared: Comparison) -> Tally:
    tally = Tally()
    for name, dimensions in DIMENSIONS.items():
        for row in _counts(name, MOMENTS[name], compared, *dimensions):
            for dimension, half in product(dimensions, (name, f"{name}_before")):
                tally.add(dimension, row[dimension], half, row[half])
    return tally


def _counts(name: str, field: str, compared: Comparison, *kinds: str) -> QuerySet:
    """Reads only columns of an index (ticket_by_age, ticket_by_done). Names are added later."""
    rows = counted().filter(in_either(field, compared)).values(*kinds)
    now, before = halves(field, compared)
    return rows.annotate(**{name: Count(field, filter=now), f"{name}_before": Count(field, filter=before)})


def counts(tally: Tally) -> dict[str, Pair]:
    """The numbers of created and solved tickets."""
    total = tally.total
    return {name: Pair(total[name], total[f"{name}_before"]) for name in ("created", "solved")}


def by(tally: Tally, dimension: str, labels: dict) -> list[dict]:
    """Rows with key, label and COUNTS, sorted by created tickets."""
    rows = [
        {"key": key, "label": str(labels[key]), **{name: found[name] for name in COUNTS}}
        for key, found in tally.by[dimension].items()
    ]
    return sorted(rows, key=lambda row: (-row["created"], row["label"]))


def done_by_assignee(tally: Tally, labels: dict) -> list[dict]:
    """Rows like those of by(), sorted by solved tickets."""
    return sorted(by(tally, "assignee", labels), key=lambda row: -row["solved"])


def reopened_numbers(span: Span) -> QuerySet:
    """The tickets that changed from done to open, according to the log, except by undoing a merge.

    A change that was undone does not count.
    """
    by_phase: dict[bool, list[int]] = {True: [], False: []}
    for pk, phase in Status.objects.values_list("pk", "phase"):
        by_phase[phase == Phase.DONE].append(pk)
    rows = ActivityLog.objects.alias(status_before=StatusBefore("changes")).filter(
        in_span("recorded_at", span),
        verb=Verb.STATUS_CHANGED,
        status_before__in=by_phase[True],
        changes__status__1__in=by_phase[False],
    )
    same_act = ActivityLog.objects.filter(ticket=OuterRef("ticket"), batch=OuterRef("batch"))
    not_counted = same_act.filter(Q(verb=Verb.UNMERGED) | Q(verb=Verb.UNDONE))
    rows = rows.filter(~Exists(not_counted.order_by()))
    return rows.order_by().values("ticket")


def answered_numbers(verb: Verb, span: Span) -> QuerySet:
    """The tickets whose requester answered “Is your problem solved?”; `verb` is CONFIRMED or NOT_FIXED."""
    return ActivityLog.objects.filter(in_span("recorded_at", span), verb=verb).order_by().values("ticket")


@dataclass(frozen=True)
class Feedback:
    """What a requester said could be better."""

    ticket: int
    text: str


def feedback(span: Span) -> list[Feedback]:
    """The newest MOST_FEEDBACK of the span, of tickets that still exist."""
    rows = ActivityLog.objects.filter(in_span("recorded_at", span), verb=Verb.FEEDBACK).order_by("-pk")
    rows = rows.filter(Exists(counted().filter(pk=OuterRef("ticket"))))
    found = rows.values_list("ticket", "changes")[:MOST_FEEDBACK]
    return [Feedback(ticket, changes["feedback"][1]) for ticket, changes in found]


def reopened(compared: Comparison) -> Pair:
    return _tickets(reopened_numbers(compared.whole), compared)


def answers(verb: Verb, compared: Comparison) -> Pair:
    return _tickets(answered_numbers(verb, compared.whole), compared)


def mail_failures(compared: Comparison) -> Pair:
    return _pair(Notification.objects.undelivered().order_by(), "created_at", compared, what="pk")


def _tickets(rows: QuerySet, compared: Comparison) -> Pair:
    """Counts existing tickets. The log contains deleted ones too, which the list can't show."""
    rows = rows.filter(Exists(counted().filter(pk=OuterRef("ticket"))))
    return _pair(rows, "recorded_at", compared, what="ticket")


def _pair(rows: QuerySet, field: str, compared: Comparison, *, what: str) -> Pair:
    """The numbers of distinct `what` in each span."""
    now, before = (Count(what, distinct=True, filter=half) for half in halves(field, compared))
    return Pair(**rows.filter(in_either(field, compared)).aggregate(now=now, before=before))


def aged(age: tuple[int, int | None]) -> Q:
    first, end = age
    now = timezone.now()
    older = Q(created_at__lte=now - first * DAY)
    return older & Q(created_at__gt=now - end * DAY) if end else older


def age_value(age: tuple[int, int | None]) -> str:
    """An age in a URL: 3-7, or 30- for 30 days and more."""
    return f"{age[0]}-{age[1] or ''}"


def age_in_words(age: tuple[int, int | None]) -> str:
    first, end = age
    if end is None:
        return _("%(days)d days and more") % {"days": first}
    if first == 0:
        return _("less than a day")
    return _("%(first)d to %(end)d days") % {"first": first, "end": end}


def open_now() -> list[dict]:
    """Open tickets: rows with assignee, status_read, count and, for each of AGES, age0, age1 ..."""
    ages = {f"age{number}": Count("pk", filter=aged(age)) for number, age in enumerate(AGES)}
    # Groups by an expression, so that SQLite does not read all tickets with the index of tabs.
    rows = counted().open().values("assignee", status_read=F("status_id") + 0)
    return list(rows.annotate(count=Count("pk"), **ages))


def open_by_age(parts: list[dict]) -> list[tuple[tuple[int, int | None], int]]:
    """Pairs (age in days, count) from the rows of open_now()."""
    return [(age, sum(part[f"age{number}"] for part in parts)) for number, age in enumerate(AGES)]


def people(numbers: Iterable[int | None]) -> dict[int | None, str]:
    """The names of people; None is "Unassigned"."""
    found = get_user_model().objects.filter(pk__in=set(numbers) - {None})
    return {None: _("Unassigned"), **{person.pk: str(person) for person in found}}
