"""Bars of a chart in units of its drawing: rows of parts with a place and a width. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH, ROW, BAR = 400, 34, 20
TONES = 6


@dataclass(frozen=True)
class Part:
    x: float
    width: float
    tone: str
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
    """Of (label, [(part's label, tone, count, url)]); the longest row fills the width."""
    rows = list(rows)
    most = max((sum(part[2] for part in parts) for _label, parts in rows), default=0) or 1
    found = []
    for place, (label, parts) in enumerate(rows):
        x, drawn = 0.0, []
        for name, tone, count, url in parts:
            width = round(count / most * WIDTH, 1)
            drawn.append(Part(round(x, 1), width, tone, name, count, url))
            x += width
        found.append(Bar(place * ROW, label, sum(part[2] for part in parts), drawn))
    return found
