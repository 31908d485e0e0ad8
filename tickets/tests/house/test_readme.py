"""README's "Where to change what" leads somewhere: its files exist, and hold the names that stand beside them."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SECTION = Path(ROOT, "README.md").read_text().partition("### Where to change what")[2].partition("\n## ")[0]
ROWS = [line for line in SECTION.splitlines() if line.startswith("| ")][1:]
CODE = re.compile(r"`([^`]+)`")
PLACE = re.compile(r"(?:[\w.-]+/)+[\w.-]*")


def places(row: str) -> list[Path]:
    return [ROOT / name for name in CODE.findall(row) if PLACE.fullmatch(name)]


@pytest.mark.parametrize("row", ROWS)
def test_places_exist(row):
    assert all(place.exists() for place in places(row)), row


@pytest.mark.parametrize("row", ROWS)
def test_names_stand_where_the_row_says(row):
    """A name in capitals, or one with (), stands in a file of its row; a bare file name in a folder of its row."""
    files = [place for place in places(row) if place.is_file()]
    folders = [place for place in places(row) if place.is_dir()]
    text = "".join(file.read_text() for file in files)
    for name in CODE.findall(row):
        if re.fullmatch(r"[A-Z_]+|\w+\(\)", name):
            assert re.search(rf"\b{name.removesuffix('()')}\b", text), f"{name} is in none of {files}"
        elif re.fullmatch(r"\w+\.py", name):
            assert any((folder / name).exists() for folder in folders), f"{name} is in none of {folders}"


def test_rows_were_found():
    assert len(ROWS) > 30
    assert len({place for row in ROWS for place in places(row)}) > 30
