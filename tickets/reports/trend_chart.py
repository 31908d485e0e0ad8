"""The chart of a trend: columns for days, lines for weeks and months, and a line for open tickets."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets.reports import charts
from tickets.reports.trend import Trend, TrendPoint, Unit

FEW_LABELS = 12  # on a wide screen


@dataclass(frozen=True)
class TrendChart:
    trend: Trend

    @property
    def has_columns(self) -> bool:
        return self.trend.unit == Unit.DAY

    @property
    def title(self) -> str:
        return {
            Unit.DAY: _("Created and solved by day"),
            Unit.WEEK: _("Created and solved by week"),
            Unit.MONTH: _("Created and solved by month"),
        }[self.trend.unit]

    @property
    def heading(self) -> str:
        """The heading of the first column of the table."""
        return {Unit.DAY: _("Day"), Unit.WEEK: _("Week of"), Unit.MONTH: _("Month")}[self.trend.unit]

    @property
    def created(self) -> int:
        return sum(point.created for point in self.trend.points)

    @property
    def solved(self) -> int:
        return sum(point.solved for point in self.trend.points)

    @property
    def legend(self) -> list[tuple[str, str, int]]:
        return [("created", _("Created"), self.created), ("solved", _("Solved"), self.solved)]

    @property
    def sentence(self) -> str:
        """The chart in words, for screen readers."""
        busiest = max(self.trend.points, key=lambda point: point.created)
        return _(
            "%(title)s: %(created)d created and %(solved)d solved in total. Highest: %(most)d created, "
            "%(when)s."
        ) % {
            "title": self.title,
            "created": self.created,
            "solved": self.solved,
            "when": self.name_of(busiest),
            "most": busiest.created,
        }

    @property
    def sentence_on_open(self) -> str:
        first, last = self.trend.open_before, self.trend.points[-1].open
        return _("Open tickets: %(first)d at the start, %(last)d at the end.") % {
            "first": first,
            "last": last,
        }

    @cached_property
    def scale(self) -> charts.Scale:
        return charts.Scale.up_to(max(max(point.created, point.solved) for point in self.trend.points))

    @cached_property
    def plot(self) -> charts.LinePlot:
        return charts.lines(self._series, scale=self.scale)

    @cached_property
    def open_plot(self) -> charts.LinePlot:
        return charts.lines({"open": [point.open for point in self.trend.points]})

    @property
    def columns(self) -> Iterator[tuple[charts.ColumnGroup, str]]:
        """Each column with its values in words."""
        found = charts.columns(self._series, self.scale)
        return zip(found, map(self._in_words, self.trend.points), strict=True)

    @property
    def rows(self) -> Iterator[tuple[str, TrendPoint]]:
        return ((self.name_of(point), point) for point in self.trend.points)

    @property
    def labels(self) -> list[tuple[str, bool]]:
        """The labels of the horizontal axis, and whether a narrow screen shows them."""
        points = self.trend.points
        every = -(-len(points) // FEW_LABELS)
        shown = [self._label(point, is_first=place == 0) for place, point in enumerate(points)]
        return [
            (text if place % every == 0 else "", place % (every * 3) == 0) for place, text in enumerate(shown)
        ]

    def name_of(self, point: TrendPoint) -> str:
        first = point.span.first
        if self.trend.unit == Unit.MONTH:
            return date_format(first, "F Y")
        day = date_format(first)
        return day if self.trend.unit == Unit.DAY else _("the week of %(day)s") % {"day": day}

    @property
    def _series(self) -> dict[str, list[int]]:
        points = self.trend.points
        return {
            "created": [point.created for point in points],
            "solved": [point.solved for point in points],
        }

    def _label(self, point: TrendPoint, *, is_first: bool) -> str:
        first = point.span.first
        if self.trend.unit == Unit.MONTH:
            return date_format(first, "M Y" if is_first or first.month == 1 else "M")
        is_long = self.trend.unit == Unit.WEEK or is_first or first.day == 1
        return date_format(first, "j M" if is_long else "j")

    def _in_words(self, point: TrendPoint) -> str:
        return _("%(when)s: %(created)d created, %(solved)d solved, %(open)d open at the end") % {
            "when": self.name_of(point),
            "created": point.created,
            "solved": point.solved,
            "open": point.open,
        }
