"""A report as a page and as a table: every figure with how it is counted and the tickets behind it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from tickets.events import Verb
from tickets.models import Category, Status, Ticket
from tickets.reports import charts, figures
from tickets.reports.durations import durations
from tickets.reports.figures import COUNTS, Pair
from tickets.reports.periods import Comparison, Span

HOUR = 3600


@dataclass(frozen=True)
class Line:
    """One figure: what it is, now and before, how it is counted, where its tickets are listed."""

    label: str
    pair: Pair
    explanation: str
    url: str = ""
    is_hours: bool = False

    @property
    def now(self) -> str:
        return _shown(self.cells[0])

    @property
    def before(self) -> str:
        return _shown(self.cells[1])

    @property
    def cells(self) -> list[float | None]:
        """Now and before; hours are a float."""
        values = (self.pair.now, self.pair.before)
        return [value / HOUR if self.is_hours and value is not None else value for value in values]


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Table:
    """Rows of (label, cells, url) under headings, with the bars that show the same."""

    key: str
    title: str
    explanation: str
    headings: list[str]
    rows: list[tuple[str, list[int], str]]
    bars: list[charts.Bar] = field(default_factory=list)
    legend: list[charts.Part] = field(default_factory=list)

    @property
    def linked_rows(self) -> Iterator[tuple]:
        """Rows as they are shown: where a bar has several parts, the count of each part opens its tickets."""
        for (label, cells, url), bar in zip(self.rows, self.bars, strict=True):
            urls = {part.label: part.url for part in bar.parts} if self.legend else {}
            links = (urls.get(heading, "") for heading in self.headings)
            yield label, list(zip(cells, links, strict=True)), url

    @property
    def viewed(self) -> int:
        """The height of the drawing, with room for the first label's ascent."""
        return len(self.bars) * charts.ROW + 6


@dataclass(frozen=True)
class Report:
    compared: Comparison
    lines: list[Line]
    tables: list[Table]


def tickets_url(**query) -> str:
    return f"{reverse('admin:tickets_ticket_changelist')}?{urlencode({'who': 'all', 'phase': 'all'} | query)}"


def build(compared: Comparison) -> Report:
    parts = figures.created_and_solved(compared)
    return Report(compared, list(_lines(compared, parts)), list(_tables(compared.span, parts)))


def _lines(compared: Comparison, parts: list[dict]) -> Iterator[Line]:
    span, counts = compared.span, figures.counts(parts)
    yield Line(
        _("Created"),
        counts["created"],
        _("Tickets filed in the period. Merged ones count once, with the ticket that they were merged into."),
        tickets_url(created=span),
    )
    yield Line(
        _("Solved"),
        counts["solved"],
        _("Tickets whose last change to done fell into the period and that are done now."),
        tickets_url(solved=span),
    )
    yield Line(
        _("Reopened"),
        figures.reopened(compared),
        _("Tickets that went from done to open again in the period. A mere thank-you does not count."),
        tickets_url(reopened=span),
    )
    yield Line(
        _("Confirmed as fixed"),
        figures.answers(Verb.CONFIRMED, compared),
        _("Tickets whose requester answered “Is it fixed?” with “Fixed” in the period."),
        tickets_url(confirmed=span),
    )
    yield Line(
        _("Reported as not fixed"),
        figures.answers(Verb.NOT_FIXED, compared),
        _("Tickets whose requester answered “Is it fixed?” with “Not fixed” in the period."),
        tickets_url(not_fixed=span),
    )
    for name, column, key, explanation in (
        (
            _("First answer"),
            "first_replied_at",
            "answered",
            _("From the filing to the first public reply by staff, of tickets first answered in the period."),
        ),
        (
            _("Solving"),
            "done_at",
            "solved",
            _("From the filing to done, of tickets solved in the period."),
        ),
    ):
        yield from _duration_lines(compared, name, column, tickets_url(**{key: span}), explanation)
    outbox = reverse("admin:tickets_notification_changelist")
    yield Line(
        _("Mails not delivered"),
        figures.mail_failures(compared),
        _("Mails queued in the period that failed or bounced."),
        f"{outbox}?{urlencode({'state': 'undelivered', 'queued': span})}",
    )


def _duration_lines(
    compared: Comparison, name: str, column: str, url: str, explanation: str
) -> Iterator[Line]:
    found = durations(column, compared)
    for key, unit in (("hours", _("hours")), ("working", _("working hours"))):
        words = {"name": name, "unit": unit}
        label = _("%(name)s, median, %(unit)s") % words
        yield Line(label, found[key].median, explanation, url, is_hours=True)
        label = _("%(name)s, 90th percentile, %(unit)s") % words
        slowest = _("Nine of ten were at most this long. %s") % explanation
        yield Line(label, found[key].p90, slowest, url, is_hours=True)


def _tables(span: Span, parts: list[dict]) -> Iterator[Table]:
    categories = dict(Category.objects.values_list("pk", "name"))
    yield _by("category", _("Tickets by category"), figures.by(parts, "category", categories), span)
    priorities = dict(Ticket.Priority.choices)
    yield _by("priority", _("Tickets by priority"), figures.by(parts, "priority", priorities), span)
    open_now = figures.open_now()
    people = figures.assignees(parts + open_now)
    yield _open_by_assignee(open_now, people)
    yield _done_by_assignee(figures.done_by_assignee(parts, people), span)
    yield _open_by_age(open_now)


def _by(key: str, title: str, rows: list[dict], span: Span) -> Table:
    def url(row) -> str:
        return tickets_url(created=span, **{key: row["key"]})

    return Table(
        key=f"by-{key}",
        title=title,
        explanation=_("Created and solved in the period. The bars show what was created."),
        headings=[_("created"), _("before"), _("solved"), _("before")],
        rows=[(row["label"], [row[name] for name in COUNTS], url(row)) for row in rows],
        bars=charts.bars((row["label"], [(_("created"), "blue", row["created"], url(row))]) for row in rows),
    )


def _open_by_assignee(found: list[dict], people: dict[int | None, str]) -> Table:
    numbers = {row["status_read"] for row in found}
    statuses = [status for status in Status.objects.all() if status.pk in numbers]
    counted: dict[int | None, dict[int, int]] = {}
    for row in found:
        counted.setdefault(row["assignee"], {})[row["status_read"]] = row["count"]
    ordered = sorted(counted.items(), key=lambda item: (-sum(item[1].values()), people[item[0]]))

    def url(person: int | None, **query) -> str:
        return tickets_url(assignee=person or 0, phase="open", **query)

    return Table(
        key="open-by-assignee",
        title=_("Open tickets by assignee and status"),
        explanation=_("What is open now."),
        headings=[status.name for status in statuses] + [_("all")],
        rows=[
            (
                people[person],
                [*(counts.get(status.pk, 0) for status in statuses), sum(counts.values())],
                url(person),
            )
            for person, counts in ordered
        ],
        bars=charts.bars(
            (
                people[person],
                [
                    (status.name, status.colour, counts.get(status.pk, 0), url(person, status=status.pk))
                    for status in statuses
                ],
            )
            for person, counts in ordered
        ),
        legend=charts.legend((status.name, status.colour) for status in statuses),
    )


def _done_by_assignee(rows: list[dict], span: Span) -> Table:
    shown = [
        (
            row["label"],
            row["solved"],
            row["solved_before"],
            tickets_url(solved=span, assignee=row["key"] or 0),
        )
        for row in rows
    ]
    return Table(
        key="done-by-assignee",
        title=_("Done by assignee"),
        explanation=_("Tickets solved in the period and done now, by who took care of them last."),
        headings=[_("done"), _("before")],
        rows=[(name, [count, before], url) for name, count, before, url in shown],
        bars=charts.bars((name, [(_("done"), "green", count, url)]) for name, count, _before, url in shown),
    )


def _open_by_age(found: list[dict]) -> Table:
    shown = [
        (figures.age_in_words(age), count, tickets_url(phase="open", age=figures.age_value(age)))
        for age, count in figures.open_by_age(found)
    ]
    return Table(
        key="open-by-age",
        title=_("Open tickets by age"),
        explanation=_("What is open now, by the days since it was filed."),
        headings=[_("open")],
        rows=[(name, [count], url) for name, count, url in shown],
        bars=charts.bars((name, [(_("open"), "amber", count, url)]) for name, count, url in shown),
    )


def csv_rows(report: Report) -> Iterator[list]:
    compared = report.compared
    yield [_("figure"), str(compared.span), str(compared.before), _("how it is counted")]
    for line in report.lines:
        cells = ("–" if cell is None else cell for cell in line.cells)
        yield [line.label, *cells, line.explanation]
    for table in report.tables:
        yield []
        yield [table.title, *table.headings]
        for label, cells, _url in table.rows:
            yield [label, *cells]
