"""The figures of a report, as SQL aggregates. Signposts (merged tickets) are left out: the target counts."""

from collections import defaultdict
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.events import Verb
from tickets.models import ActivityLog, Notification, Status, Ticket
from tickets.models.activity_log import StatusBefore
from tickets.reports.periods import DAY, Comparison, Span
from tickets.workflow import Phase

# Open tickets by age: from so many days to less than so many.
AGES = ((0, 1), (1, 3), (3, 7), (7, 30), (30, None))


def counted() -> QuerySet:
    return Ticket.objects.filter(merged_into=None).order_by()


@dataclass(frozen=True)
class Pair:
    """A figure of the span and of the one before."""

    now: float | None
    before: float | None


def in_span(field: str, span: Span) -> Q:
    return Q((f"{field}__gte", span.start), (f"{field}__lt", span.end))


def in_either(field: str, compared: Comparison) -> Q:
    """In the span or in the one before it. The range comes first, so that an index can be read along it."""
    is_between = Q((f"{field}__gte", compared.before.end), (f"{field}__lt", compared.span.start))
    within = in_span(field, compared.whole)
    return within if compared.before.end == compared.span.start else within & ~is_between


def halves(field: str, compared: Comparison) -> tuple[Q, Q]:
    """What of in_either() is of the span, and what is before it."""
    return Q((f"{field}__gte", compared.span.start)), Q((f"{field}__lt", compared.span.start))


COUNTS = ("created", "created_before", "solved", "solved_before")


def created_and_solved(compared: Comparison) -> list[dict]:
    """COUNTS of the tickets of a kind: parts for counts(), by() and done_by_assignee()."""
    return [
        *_counts("created", "created_at", compared, "category", "priority"),
        *_counts("solved", "done_at", compared, "category", "priority", "assignee"),
    ]


def _counts(name: str, field: str, compared: Comparison, *kinds: str) -> QuerySet:
    """Asks for no more than an index holds (ticket_by_age, ticket_by_done); names are put beside later."""
    rows = counted().filter(in_either(field, compared)).values(*kinds)
    now, before = halves(field, compared)
    return rows.annotate(**{name: Count(field, filter=now), f"{name}_before": Count(field, filter=before)})


def counts(parts: list[dict]) -> dict[str, Pair]:
    """How many tickets were created and solved."""
    sums = _sum(parts)
    return {name: Pair(sums[name], sums[f"{name}_before"]) for name in ("created", "solved")}


def by(parts: list[dict], field: str, labels: dict) -> list[dict]:
    """The parts added up by a field: rows with key, label and COUNTS, the most created first."""
    groups = defaultdict(list)
    for part in parts:
        groups[part[field]].append(part)
    rows = [{"key": key, "label": str(labels[key]), **_sum(group)} for key, group in groups.items()]
    return sorted(rows, key=lambda row: (-row["created"], row["label"]))


def done_by_assignee(parts: list[dict], labels: dict) -> list[dict]:
    """Rows like those of by(), the most solved first."""
    solved = [part for part in parts if "assignee" in part]
    return sorted(by(solved, "assignee", labels), key=lambda row: -row["solved"])


def _sum(parts: list[dict]) -> dict[str, int]:
    return {name: sum(part.get(name, 0) for part in parts) for name in COUNTS}


def reopened_numbers(span: Span) -> QuerySet:
    """The tickets that went from done to open again, by the log. Undoing a merge reopens nothing."""
    by_phase: dict[bool, list[int]] = {True: [], False: []}
    for pk, phase in Status.objects.values_list("pk", "phase"):
        by_phase[phase == Phase.DONE].append(pk)
    rows = ActivityLog.objects.alias(status_before=StatusBefore("changes")).filter(
        in_span("recorded_at", span),
        verb=Verb.STATUS_CHANGED,
        status_before__in=by_phase[True],
        changes__status__1__in=by_phase[False],
    )
    unmerged = ActivityLog.objects.filter(
        ticket=OuterRef("ticket"), batch=OuterRef("batch"), verb=Verb.UNMERGED
    )
    rows = rows.filter(~Exists(unmerged.order_by()))
    return rows.order_by().values("ticket")


def answered_numbers(verb: Verb, span: Span) -> QuerySet:
    """The tickets whose requester answered “Is it fixed?”; `verb` is CONFIRMED or NOT_FIXED."""
    return ActivityLog.objects.filter(in_span("recorded_at", span), verb=verb).order_by().values("ticket")


def reopened(compared: Comparison) -> Pair:
    return _tickets(reopened_numbers(compared.whole), compared)


def answers(verb: Verb, compared: Comparison) -> Pair:
    return _tickets(answered_numbers(verb, compared.whole), compared)


def mail_failures(compared: Comparison) -> Pair:
    return _pair(Notification.objects.undelivered().order_by(), "created_at", compared, what="pk")


def _tickets(rows: QuerySet, compared: Comparison) -> Pair:
    """Counts tickets that still exist: the log outlives a deleted one, the list can't show it."""
    rows = rows.filter(Exists(counted().filter(pk=OuterRef("ticket"))))
    return _pair(rows, "recorded_at", compared, what="ticket")


def _pair(rows: QuerySet, field: str, compared: Comparison, *, what: str) -> Pair:
    """How many different `what` the rows of each span have."""
    now, before = (Count(what, distinct=True, filter=half) for half in halves(field, compared))
    return Pair(**rows.filter(in_either(field, compared)).aggregate(now=now, before=before))


def aged(age: tuple[int, int | None]) -> Q:
    first, end = age
    now = timezone.now()
    older = Q(created_at__lte=now - first * DAY)
    return older & Q(created_at__gt=now - end * DAY) if end else older


def age_value(age: tuple[int, int | None]) -> str:
    """As it stands in an address: 3-7, or 30- for 30 days and more."""
    return f"{age[0]}-{age[1] or ''}"


def age_in_words(age: tuple[int, int | None]) -> str:
    first, end = age
    if end is None:
        return _("%(days)d days and more") % {"days": first}
    if first == 0:
        return _("less than a day")
    return _("%(first)d to %(end)d days") % {"first": first, "end": end}


def open_now() -> list[dict]:
    """What is open: rows with assignee, status_read, count and, for each of AGES, age0, age1 ..."""
    ages = {f"age{number}": Count("pk", filter=aged(age)) for number, age in enumerate(AGES)}
    # By what no index is in the order of: SQLite would read all tickets along the index of tabs.
    rows = counted().open().values("assignee", status_read=F("status_id") + 0)
    return list(rows.annotate(count=Count("pk"), **ages))


def open_by_age(parts: list[dict]) -> list[tuple[tuple[int, int | None], int]]:
    """Of open_now(): (age in days, count)."""
    return [(age, sum(part[f"age{number}"] for part in parts)) for number, age in enumerate(AGES)]


def assignees(parts: list[dict]) -> dict[int | None, str]:
    """The names of all assignees in rows of figures."""
    numbers = {part["assignee"] for part in parts if "assignee" in part}
    people = get_user_model().objects.filter(pk__in=numbers - {None})
    return {None: _("nobody"), **{person.pk: str(person) for person in people}}
