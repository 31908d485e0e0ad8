"""A report: the trend, the key figures and the breakdowns of a period, as a page and as a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets.reports import breakdowns, figures, key_figures
from tickets.reports.breakdowns import Table
from tickets.reports.figures import Feedback
from tickets.reports.key_figures import KeyFigure
from tickets.reports.periods import Comparison
from tickets.reports.sources import source
from tickets.reports.trend import trend
from tickets.reports.trend_chart import TrendChart

SHOWN_FIRST = ("reply_working", "resolution_working", "confirmed", "reopened", "open", "undelivered")


@dataclass(frozen=True)
class Report:
    compared: Comparison
    chart: TrendChart
    lines: list[KeyFigure]
    tables: list[Table]
    feedback: list[Feedback]

    @property
    def sentence(self) -> str:
        """The period and the previous one in words."""
        days = (
            self.compared.span.first,
            self.compared.span.last,
            self.compared.before.first,
            self.compared.before.last,
        )
        first, last, before_first, before_last = (date_format(day) for day in days)
        return _("%(first)s to %(last)s, compared with %(before_first)s to %(before_last)s") % {
            "first": first,
            "last": last,
            "before_first": before_first,
            "before_last": before_last,
        }

    @cached_property
    def highlights(self) -> list[KeyFigure]:
        """The six figures that the page shows first."""
        found = {line.key: line for line in self.lines}
        return [found[key] for key in SHOWN_FIRST]


def build(compared: Comparison) -> Report:
    found = source(compared)
    tally, open_now = found.tally(), figures.open_now()
    count = sum(row["count"] for row in open_now)
    points = trend(compared.span, open_now=count, counts=found.counts)
    lines = [
        *key_figures.all_figures(compared, tally, found.durations),
        key_figures.open_now(count, points.open_before),
    ]
    tables = [*breakdowns.tables(compared.span, tally, open_now), breakdowns.solved_answers(lines)]
    return Report(compared, TrendChart(points), lines, tables, figures.feedback(compared.span))


def week_figures(compared: Comparison) -> list[KeyFigure]:
    """Created and solved tickets, and those that were open at the end, for the weekly report."""
    found = source(compared)
    open_now = sum(row["count"] for row in figures.open_now())
    points = trend(compared.span, open_now=open_now, counts=found.counts)
    is_open = key_figures.open_at_end(points.points[-1].open, points.open_before)
    return [*key_figures.created_and_solved(compared.span, found.tally()), is_open]


def csv_rows(report: Report) -> Iterator[list]:
    compared = report.compared
    yield [_("figure"), str(compared.span), str(compared.before), _("definition")]
    for line in report.lines:
        cells = ("–" if cell is None else cell for cell in line.cells)
        yield [line.label, *cells, line.explanation]
    yield []
    yield [report.chart.title, _("created"), _("solved"), _("open at the end")]
    for point in report.chart.trend.points:
        yield [str(point.span.first), point.created, point.solved, point.open]
    for table in report.tables:
        yield []
        yield [f"{table.title} ({table.shown})", *table.headings]
        for label, cells, _url in table.rows:
            yield [label, *cells]
    if report.feedback:
        yield []
        yield [_("ticket"), _("feedback")]
        for one in report.feedback:
            yield [one.ticket, one.text]
