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
]
EDGES = [
    *((edge, ground) for edge in ("line-strong", "focus") for ground in ("page", "surface")),
    ("note-line", "note"),
    ("urgent", "surface"),
    ("accent", "accent-soft"),
]


def themes() -> dict[str, dict[str, str]]:
    """The colours of each theme. Dark stands twice: for the system's wish and for the attribute."""
    light, dark, dark_by_attribute, _motion = re.split(
        r"@media|:root\[data-theme=\"dark\"\]", TOKENS.read_text()
    )
    colours = [dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in (light, dark, dark_by_attribute)]
    return dict(zip(("light", "dark", "dark by attribute"), colours, strict=True))


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


def test_both_ways_to_dark_have_the_same_colours():
    assert themes()["dark"] == themes()["dark by attribute"]


def test_each_colour_has_a_dark_one():
    assert themes()["light"].keys() == themes()["dark"].keys()
