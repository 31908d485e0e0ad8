"""Reads CSV files as spreadsheets and other systems write them. The caller knows the columns."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

LONGEST_LINE = 32 * 1024 * 1024  # bytes
DELIMITERS = ",;\t"
# Excel in Chinese and Japanese also reads full-width signs as the start of a formula.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe(value) -> str:
    """Escapes a cell that a spreadsheet would read as a formula (OWASP, CSV injection). See unsafe()."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip("'").startswith(DANGEROUS) else text


def unsafe(cell: str) -> str:
    """Reverses safe()."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(DANGEROUS) else cell


@dataclass(eq=False)
class Problem(Exception):
    """The reason why a line can't be imported. The header is line 1."""

    line: int
    column: str
    message: str

    def __str__(self):
        place = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.message}"


def parse_map(pairs: Iterable[str], fields: Sequence[str]) -> dict[str, str]:
    """{field: column} from the FIELD=COLUMN of a command's option --map. Raises CommandError."""
    mapping = dict(pair.partition("=")[::2] for pair in pairs)
    for name, column in mapping.items():
        if name not in fields or not column:
            raise CommandError(f"--map takes FIELD=COLUMN, with a field of: {', '.join(fields)}.")
    return mapping


def delimiter_of(header: str, known: Iterable[str], *, plain: Callable[[str], str] = str.lower) -> str:
    """The delimiter with which the header has names that are `known`; a comma if there is none."""
    names = {plain(name) for name in known}

    def found(delimiter: str) -> int:
        return len({plain(name.strip().strip('"')) for name in header.split(delimiter)} & names)

    return max(DELIMITERS, key=found)


def columns_of(header: Sequence[str], spellings: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The index of the column of each field. `spellings` are the names that a field's column may have, the
    first one preferred. The names of `header` and `spellings` are compared as they are.
    """
    if twice := sorted({name for name, count in Counter(header).items() if name and count > 1}):
        raise Problem(1, twice[0], _("this column appears twice"))
    places = {name: place for place, name in enumerate(header)}
    columns: dict[str, int] = {}
    for field, names in spellings.items():
        found = (places[name] for name in names if name in places)
        place = next((place for place in found if place not in columns.values()), None)
        if place is not None:
            columns[field] = place
    return columns


def rows(
    lines: Iterator[str],
    *,
    delimiter_of: Callable[[str], str],
    columns_of: Callable[[list[str]], dict[str, int]],
    text: Callable[[str, str], str],
) -> Iterator[tuple[int, dict[str, str] | Problem]]:
    """Yields (line, {field: text}), or a Problem for a row with too few or too many cells.

    `text` makes the text of a field from its cell. Raises Problem if this is no CSV.
    """
    limit = csv.field_size_limit(LONGEST_LINE)
    try:
        yield from _rows(lines, delimiter_of, columns_of, text)
    finally:
        csv.field_size_limit(limit)


def _rows(lines, delimiter_of, columns_of, text) -> Iterator[tuple[int, dict[str, str] | Problem]]:
    first = next(lines, "")
    reader = csv.reader(chain([first], lines), strict=True, delimiter=delimiter_of(first))
    try:
        header = next(reader, None)
        if not header:
            raise Problem(1, "", _("the file is empty"))
        columns = columns_of(header)
        line = reader.line_num + 1
        for cells in reader:
            if cells and len(cells) != len(header):
                words = _("it has %(cells)d cells, the header has %(header)d")
                yield line, Problem(line, "", words % {"cells": len(cells), "header": len(header)})
            elif cells:
                yield line, {name: text(name, cells[index]) for name, index in columns.items()}
            line = reader.line_num + 1
    except csv.Error as error:
        raise Problem(reader.line_num, "", _("this is not CSV: %(why)s") % {"why": error}) from error
