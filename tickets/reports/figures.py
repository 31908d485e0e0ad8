"""The figures of a report, as SQL aggregates. Signposts (merged tickets) are left out: the target counts."""

from collections import defaultdict
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import (
    Aggregate,
    BooleanField,
    Count,
    Exists,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
)
from django.db.models.expressions import ExpressionWrapper
from django.db.models.fields import DurationField
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.events import Verb
from tickets.models import ActivityLog, Notification, Status, Ticket
from tickets.reports.periods import DAY, Span
from tickets.reports.worktime import WorkingSeconds
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


COUNTS = ("created", "created_before", "solved", "solved_before")


def created_and_solved(span: Span) -> list[dict]:
    """COUNTS of each category and priority, in one reading of the table: parts for counts() and by()."""
    spans = {"": span, "_before": span.before}
    columns = {"created": "created_at", "solved": "done_at"}
    counted_in = {
        f"{name}{suffix}": in_span(column, one)
        for name, column in columns.items()
        for suffix, one in spans.items()
    }
    rows = counted().filter(Q.create(list(counted_in.values()), connector=Q.OR))
    rows = rows.values("category", "category__name", "priority")
    return list(rows.annotate(**{name: Count("pk", filter=when) for name, when in counted_in.items()}))


def counts(parts: list[dict]) -> dict[str, Pair]:
    """How many tickets were created and solved."""
    sums = _sum(parts)
    return {name: Pair(sums[name], sums[f"{name}_before"]) for name in ("created", "solved")}


def by(parts: list[dict], field: str, label: str) -> list[dict]:
    """The parts added up by a field: rows with key, label and COUNTS, the most created first."""
    groups = defaultdict(list)
    for part in parts:
        groups[part[field], part[label]].append(part)
    rows = [{"key": key, "label": word, **_sum(group)} for (key, word), group in groups.items()]
    return sorted(rows, key=lambda row: (-row["created"], row["label"]))


def _sum(parts: list[dict]) -> dict[str, int]:
    return {name: sum(part[name] for part in parts) for name in COUNTS}


def reopened_numbers(span: Span) -> QuerySet:
    """The tickets that went from done to open again, by the log. Undoing a merge reopens nothing."""
    by_phase: dict[bool, list[int]] = {True: [], False: []}
    for pk, phase in Status.objects.values_list("pk", "phase"):
        by_phase[phase == Phase.DONE].append(pk)
    rows = ActivityLog.objects.filter(
        in_span("recorded_at", span),
        verb=Verb.STATUS_CHANGED,
        changes__status__0__in=by_phase[True],
        changes__status__1__in=by_phase[False],
    )
    unmerged = ActivityLog.objects.filter(
        ticket=OuterRef("ticket"), batch=OuterRef("batch"), verb=Verb.UNMERGED
    )
    rows = rows.filter(~Exists(unmerged.order_by()))
    return rows.order_by().values("ticket")


def reopened(span: Span) -> Pair:
    """Of tickets that still exist: the log outlives a deleted one, the list can't show it."""
    return Pair(*(counted().filter(pk__in=reopened_numbers(one)).count() for one in (span, span.before)))


def mail_failures(span: Span) -> Pair:
    failed = Notification.objects.undelivered().order_by()
    found = failed.aggregate(
        now=Count("pk", filter=in_span("created_at", span)),
        before=Count("pk", filter=in_span("created_at", span.before)),
    )
    return Pair(**found)


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


def open_by_age() -> list[tuple[tuple[int, int | None], int]]:
    """Of what is open now: (age in days, count)."""
    filters = {f"age{age[0]}": Count("pk", filter=aged(age)) for age in AGES}
    found = counted().open().aggregate(**filters)
    return [(age, found[f"age{age[0]}"]) for age in AGES]


def open_by_assignee_and_status() -> list[dict]:
    rows = counted().open()
    return list(
        rows.values(
            person=F("assignee"), name=F("assignee__full_name"), status_key=F("status"),
            word=F("status__name"), colour=F("status__colour"), position=F("status__position"),
        )
        .annotate(count=Count("pk"))
        .order_by("name", "position", "word")
    )  # fmt: skip


def done_by_assignee(span: Span) -> list[dict]:
    """Rows with person, name, count and, for the span before, count_before."""
    now, before = in_span("done_at", span), in_span("done_at", span.before)
    rows = counted().filter(now | before, status__phase=Phase.DONE)
    rows = rows.values(person=F("assignee"), name=F("assignee__full_name")).annotate(
        count=Count("pk", filter=now), count_before=Count("pk", filter=before)
    )
    return sorted(rows, key=lambda row: -row["count"])


@dataclass(frozen=True)
class Durations:
    """Median and 90th percentile in seconds, of the span and of the one before."""

    median: Pair
    p90: Pair


def durations(field: str, span: Span) -> dict[str, Durations]:
    """From the filing to `field` (first_replied_at, done_at), of tickets where that fell into the span.

    By "hours" and by "working" hours; None where nothing was measured.
    """
    seconds = {
        "hours": _epoch(ExpressionWrapper(F(field) - F("created_at"), output_field=DurationField())),
        "working": WorkingSeconds("created_at", field),
    }
    rows = counted().filter(in_span(field, span) | in_span(field, span.before))
    rows = rows.annotate(
        is_now=ExpressionWrapper(in_span(field, span), output_field=BooleanField()), **seconds
    )
    found = _percentiles(rows, tuple(seconds))
    return {
        unit: Durations(
            median=Pair(found[unit, True][0], found[unit, False][0]),
            p90=Pair(found[unit, True][1], found[unit, False][1]),
        )
        for unit in seconds
    }


SHARES = (0.5, 0.9)


class _Percentiles(Aggregate):
    """percentile_cont of PostgreSQL for SHARES, in one sort."""

    output_field = ArrayField(FloatField())

    def __init__(self, expression, **extra):
        template = (
            f"percentile_cont(ARRAY[{','.join(map(str, SHARES))}]) WITHIN GROUP (ORDER BY %(expressions)s)"
        )
        super().__init__(expression, template=template, **extra)


def _epoch(passed):
    """A duration in seconds; SQLite keeps it in microseconds."""
    if connection.vendor == "postgresql":
        return Func(Value("epoch"), passed, function="date_part", output_field=FloatField())
    return ExpressionWrapper(passed / 1_000_000.0, output_field=FloatField())


def _percentiles(rows: QuerySet, names: tuple[str, ...]) -> dict[tuple[str, bool], tuple]:
    """{(name, of the span or of the one before): values at SHARES}."""
    nothing = tuple(None for _share in SHARES)
    if connection.vendor == "postgresql":
        # Grouped, so that the seconds of a row are worked out once.
        groups = rows.values("is_now").annotate(**{f"{name}_at": _Percentiles(name) for name in names})
        by_group = {group["is_now"]: group for group in groups}
        return {
            (name, is_now): by_group[is_now][f"{name}_at"] if is_now in by_group else nothing
            for name in names
            for is_now in (True, False)
        }
    found = {}
    for is_now in (True, False):
        part = rows.filter(is_now=is_now)
        count = part.count()
        for name in names:
            values = part.order_by(name).values_list(name, flat=True)
            places = [share * (count - 1) for share in SHARES]
            found[name, is_now] = [_interpolated(values, place) for place in places] if count else nothing
    return found


def _interpolated(values: QuerySet, place: float) -> float:
    """Like percentile_cont: between the two rows around `place`."""
    around = list(values[int(place) : int(place) + 2])
    return around[0] + (around[-1] - around[0]) * (place - int(place))
