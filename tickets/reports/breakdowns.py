"""The tables of a report: tickets by category, priority, assignee and age, each with bars."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from tickets.models import Category, Status, Ticket
from tickets.reports import charts, figures
from tickets.reports.figures import COUNTS, Tally
from tickets.reports.key_figures import KeyFigure
from tickets.reports.periods import Span
from tickets.reports.urls import tickets_url


@dataclass(frozen=True)
class Table:
    """Rows of (label, cells, url) under headings, with a bar for each row.

    The first cell is shown beside the bar. `has_change`: the second cell is its value in the period before.
    """

    key: str
    title: str
    shown: str  # what the bars show
    explanation: str
    headings: list[str]
    rows: list[tuple[str, list[int], str]]
    bars: list[charts.Bar] = field(default_factory=list)
    has_change: bool = False
    has_segments: bool = False

    @property
    def bar_rows(self) -> Iterator[tuple]:
        """Rows of (label, url, bar, change)."""
        for (label, cells, url), bar in zip(self.rows, self.bars, strict=True):
            yield label, url, bar, signed(cells[0] - cells[1]) if self.has_change else ""

    @property
    def linked_rows(self) -> Iterator[tuple]:
        """Rows of the table. If bars have segments, the count of each segment links to its tickets."""
        for (label, cells, url), bar in zip(self.rows, self.bars, strict=True):
            urls = {part.label: part.url for part in bar.parts} if self.has_segments else {}
            links = (urls.get(heading, "") for heading in self.headings)
            yield label, list(zip(cells, links, strict=True)), url


def signed(number: int) -> str:
    return f"+{number}" if number > 0 else f"−{-number}" if number else "0"


def tables(span: Span, tally: Tally, open_now: list[dict]) -> Iterator[Table]:
    people = figures.people([*tally.by["assignee"], *(row["assignee"] for row in open_now)])
    categories = dict(Category.objects.values_list("pk", "name"))
    yield _by("category", _("Category"), figures.by(tally, "category", categories), span)
    yield _done_by_assignee(figures.done_by_assignee(tally, people), span)
    yield _by("priority", _("Priority"), figures.by(tally, "priority", dict(Ticket.Priority.choices)), span)
    yield _open_by_age(open_now)
    yield workload(open_now, people)


def _by(key: str, title: str, rows: list[dict], span: Span) -> Table:
    def url(row) -> str:
        return tickets_url(created=span, **{key: row["key"]})

    return Table(
        key=f"by-{key}",
        title=title,
        shown=_("created, change"),
        explanation=_("Tickets created and solved in the period. The bars show created tickets."),
        headings=[_("created"), _("before"), _("solved"), _("before")],
        rows=[(row["label"], [row[name] for name in COUNTS], url(row)) for row in rows],
        bars=charts.bars(
            (row["label"], [(_("created"), "created", row["created"], url(row))]) for row in rows
        ),
        has_change=True,
    )


def solved_answers(lines: Iterable[KeyFigure]) -> Table:
    """What requesters answered to “Is your problem solved?”, from the key figures."""
    found = {line.key: line for line in lines}
    answers = [
        (_("Solved my problem"), "green", found["confirmed"]),
        (_("Not yet"), "red", found["not_fixed"]),
    ]
    total = sum(line.pair.now for _label, _colour, line in answers)

    def share(label: str, line: KeyFigure) -> str:
        words = {"answer": label, "percent": round(100 * line.pair.now / total) if total else 0}
        return _("%(answer)s (%(percent)d%%)") % words

    shown = [(share(label, line), colour, line) for label, colour, line in answers]
    return Table(
        key="solved-answers",
        title=_("Is your problem solved?"),
        shown=_("answers, change"),
        explanation=_("What requesters answered in the period, by email or on the ticket page."),
        headings=[_("answers"), _("before")],
        rows=[(label, [line.pair.now, line.pair.before], line.url) for label, _colour, line in shown],
        bars=charts.bars(
            (label, [(label, colour, line.pair.now, line.url)]) for label, colour, line in shown
        ),
        has_change=True,
    )


def workload(found: list[dict], people: dict[int | None, str]) -> Table:
    """Open tickets by assignee and status. `found` are the rows of figures.open_now()."""
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
        title=_("Workload"),
        shown=_("open tickets"),
        explanation=_("Tickets that are open now, by assignee and status."),
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
        has_segments=True,
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
        title=_("Solved by"),
        shown=_("solved, change"),
        explanation=_("Tickets solved in the period, by their last assignee."),
        headings=[_("solved"), _("before")],
        rows=[(name, [count, before], url) for name, count, before, url in shown],
        bars=charts.bars(
            (name, [(_("solved"), "solved", count, url)]) for name, count, _before, url in shown
        ),
        has_change=True,
    )


def _open_by_age(found: list[dict]) -> Table:
    shown = [
        (capfirst(figures.age_in_words(age)), count, tickets_url(phase="open", age=figures.age_value(age)))
        for age, count in figures.open_by_age(found)
    ]
    return Table(
        key="open-by-age",
        title=_("Age of open tickets"),
        shown=_("open now"),
        explanation=_("Tickets that are open now, by the time since their creation."),
        headings=[_("open")],
        rows=[(name, [count], url) for name, count, url in shown],
        bars=charts.bars((name, [(_("open"), "amber", count, url)]) for name, count, url in shown),
    )
