"""Contrast of every pair of colours that meet on a page (WCAG 2.2, 1.4.3 text and 1.4.11 edges)."""

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = Path(settings.BASE_DIR, "static", "css", "tokens.css")
BADGES = ("phase-new", "phase-active", "phase-waiting", "phase-done", "urgent", "good")
TEXT = [
    *((text, ground) for text in ("ink", "ink-soft", "accent") for ground in ("page", "surface", "sunken")),
    *((badge, f"{badge}-soft") for badge in BADGES),
    *(("ink", f"{ground}-soft") for ground in ("accent", "urgent", "good", "phase-waiting")),
    *(("ink-soft", ground) for ground in ("accent-soft",)),
    ("accent", "accent-soft"),
    ("accent-ink", "accent"),
    ("urgent", "page"),
    ("urgent", "surface"),
    ("note-ink", "note"),
    ("ink", "note"),
    *((text, ground) for text in ("ink", "ink-soft", "accent") for ground in ("hover", "selected", "pop")),
]
EDGES = [
    *((edge, ground) for edge in ("line-strong", "focus") for ground in ("page", "surface")),
    ("note-line", "note"),
    ("urgent", "surface"),
    ("accent", "accent-soft"),
    *((series, "surface") for series in ("chart-created", "chart-solved", "phase-waiting")),
    ("chart-created", "sunken"),
    ("chart-solved", "sunken"),
]


def themes() -> dict[str, dict[str, str]]:
    """The colours of each theme. Each stands once: light-dark(light, dark)."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", TOKENS.read_text())
    return {
        "light": {name: light for name, light, _dark in pairs},
        "dark": {name: dark for name, _light, dark in pairs},
    }


def luminance(colour: str) -> float:
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", themes())
@pytest.mark.parametrize(
    ("front", "ground", "least"), [*((*pair, 4.5) for pair in TEXT), *((*pair, 3.0) for pair in EDGES)]
)
def test_contrast_is_high_enough(theme, front, ground, least):
    colours = themes()[theme]
    assert contrast(colours[front], colours[ground]) >= least


def test_each_colour_stands_once():
    """The person's theme and the system's choose by color-scheme between the same two."""
    names = re.findall(r"--([\w-]+): (?:light-dark\()?#\w{6}", TOKENS.read_text())
    assert sorted(names) == sorted(themes()["light"])
