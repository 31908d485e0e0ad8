"""Lines of CSS and templates are at most as long as those of Python, so that a change shows as one line."""

from pathlib import Path

import pytest
from django.conf import settings

LONGEST = 110


def lines_of(*places: str) -> list[tuple[str, int, str]]:
    found = []
    for place in places:
        folder, pattern = place.split("|")
        for path in sorted(Path(settings.BASE_DIR, folder).rglob(pattern)):
            name = str(path.relative_to(settings.BASE_DIR))
            found += [(name, number, line) for number, line in enumerate(path.read_text().splitlines(), 1)]
    assert found
    return found


@pytest.mark.parametrize("place", ["static|*.css", "templates|*.html", "tickets|*.html"])
def test_no_line_is_longer_than_110_characters(place):
    too_long = [f"{name}:{number}" for name, number, line in lines_of(place) if len(line) > LONGEST]
    assert too_long == []
