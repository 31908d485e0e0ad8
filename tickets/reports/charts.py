"""The geometry of charts, in per cent of the width and height of a drawing. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STEPS = (1, 2, 5)
MOST_LINES = 4  # grid lines above zero


@dataclass(frozen=True)
class BarSegment:
    x: float
    width: float
    tone: str
    label: str
    count: int
    url: str


@dataclass(frozen=True)
class Bar:
    label: str
    total: int
    parts: list[BarSegment]


def bars(rows: Iterable[tuple[str, list[tuple[str, str, int, str]]]]) -> list[Bar]:
    """Horizontal bars of rows (label, [(segment's label, tone, count, url)]). The longest fills the width.

    Segments without a count are left out.
    """
    rows = list(rows)
    most = max((sum(part[2] for part in parts) for _label, parts in rows), default=0) or 1
    found = []
    for label, parts in rows:
        x, drawn = 0.0, []
        for name, tone, count, url in parts:
            if count:
                width = count / most * 100
                drawn.append(BarSegment(round(x, 2), round(width, 2), tone, name, count, url))
                x += width
        found.append(Bar(label, sum(part[2] for part in parts), drawn))
    return found


@dataclass(frozen=True)
class Scale:
    """The vertical axis of a chart: from zero to a round number, with a few grid lines."""

    ticks: list[int]  # from the top down to zero

    @classmethod
    def up_to(cls, most: int) -> "Scale":
        step = next(
            factor * 10**power
            for power in range(20)
            for factor in STEPS
            if factor * 10**power * MOST_LINES >= most
        )
        lines = max(-(-most // step), 1)
        return cls([number * step for number in range(lines, -1, -1)])

    @property
    def lines(self) -> list[str]:
        """The positions of the grid lines."""
        return [self.y(tick) for tick in self.ticks]

    def y(self, value: int) -> str:
        return _text(100 - value / self.ticks[0] * 100)


@dataclass(frozen=True)
class LinePlot:
    """A line for each series, with a point for each value."""

    scale: Scale
    paths: dict[str, str]
    areas: dict[str, str]
    points: dict[str, str]


def lines(series: dict[str, Sequence[int]], *, scale: Scale | None = None) -> LinePlot:
    scale = scale or Scale.up_to(max(map(max, series.values())))
    paths, areas, points = {}, {}, {}
    for name, values in series.items():
        places = [(_text(x), scale.y(value)) for x, value in zip(_xs(len(values)), values, strict=True)]
        paths[name] = "M" + " L".join(f"{x} {y}" for x, y in places)
        areas[name] = f"{paths[name]} L{places[-1][0]} 100 L{places[0][0]} 100Z"
        points[name] = "".join(f"M{x} {y}h0" for x, y in places)
    return LinePlot(scale, paths, areas, points)


def _xs(count: int) -> list[float]:
    """The horizontal positions of points, each in the middle of its column."""
    return [(number + 0.5) / count * 100 for number in range(count)]


@dataclass(frozen=True)
class ColumnGroup:
    """The vertical bars of one day, one for each series, and the area that shows its values."""

    x: str
    width: str
    bars: list[tuple[str, str, str, str, str]]  # name, x, y, width, height


def columns(series: dict[str, Sequence[int]], scale: Scale) -> list[ColumnGroup]:
    count = max(map(len, series.values()))
    width = 100 / count
    each = width * 0.7 / len(series)
    found = []
    for number in range(count):
        x = number * width
        drawn = []
        for place, (name, values) in enumerate(series.items()):
            height = values[number] / scale.ticks[0] * 100
            left = x + width * 0.15 + place * each
            drawn.append((name, _text(left), _text(100 - height), _text(each * 0.92), _text(height)))
        found.append(ColumnGroup(_text(x), _text(width), drawn))
    return found


def _text(number: float) -> str:
    """A number for an attribute of SVG, without the decimal sign of a language."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
