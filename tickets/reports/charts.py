"""Bars of a chart in units of its drawing: rows of parts with a place and a width. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH, ROW, BAR = 400, 34, 20
HATCHES = 6  # patterns of the template; with them colour is not the only sign (WCAG 2.2, 1.4.1)


@dataclass(frozen=True)
class Part:
    x: float
    width: float
    tone: str
    hatch: int
    label: str
    count: int
    url: str


@dataclass(frozen=True)
class Bar:
    y: int
    label: str
    total: int
    parts: list[Part]

    @property
    def end(self) -> float:
        return max((part.x + part.width for part in self.parts), default=0)


def bars(rows: Iterable[tuple[str, list[tuple[str, str, int, str]]]]) -> list[Bar]:
    """Of (label, [(part's label, tone, count, url)]); the longest row fills the width.

    Each row names the same parts in the same order, also those that count nothing.
    """
    rows = list(rows)
    most = max((sum(part[2] for part in parts) for _label, parts in rows), default=0) or 1
    found = []
    for place, (label, parts) in enumerate(rows):
        x, drawn = 0.0, []
        for position, (name, tone, count, url) in enumerate(parts):
            if count == 0:
                continue
            width = round(count / most * WIDTH, 1)
            drawn.append(Part(round(x, 1), width, tone, position % HATCHES, name, count, url))
            x += width
        found.append(Bar(place * ROW, label, sum(part[2] for part in parts), drawn))
    return found


def legend(parts: Iterable[tuple[str, str]]) -> list[Part]:
    """Of (label, tone), in the order of the parts of the bars."""
    return [Part(0, 0, tone, position % HATCHES, name, 0, "") for position, (name, tone) in enumerate(parts)]
