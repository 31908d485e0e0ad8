"""Reads a CSV file into rows by field name, and into problems with line and column."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from accounts.validators import without_hidden
from tickets.reports.export import COLUMNS, unsafe

# The fields of a ticket, and further columns of the export about its status and people.
FIELDS = (
    "subject", "description", "category", "status", "priority", "requester", "assignee",
    "created_at", "first_replied_at", "done_at", "updated_at",
)  # fmt: skip
MORE = ("phase", "requester_name", "requester_department", "assignee_name")
HEADINGS = {column.name: column.heading for column in COLUMNS}
LONGEST_LINE = 32 * 1024 * 1024  # bytes
DELIMITERS = ",;\t"


@dataclass(eq=False)
class Problem(Exception):
    """The reason why a line can't be imported. The header is line 1."""

    line: int
    column: str
    message: str

    def __str__(self):
        place = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.message}"


@dataclass
class CsvTable:
    """The rows of a CSV file by field name. Raises Problem if the file is unreadable."""

    path: Path
    mapping: dict[str, str] = field(default_factory=dict)
    on_progress: Callable[[int], None] = lambda done: None
    unused: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[int, dict[str, str] | Problem]]:
        """Yields (line, {field: text}), or a Problem for a row with too few or too many cells."""
        limit = csv.field_size_limit(LONGEST_LINE)
        try:
            with self.path.open("rb") as file:
                yield from self._rows(file)
        finally:
            csv.field_size_limit(limit)

    def _rows(self, file: BinaryIO) -> Iterator[tuple[int, dict[str, str] | Problem]]:
        raw = gzip.GzipFile(fileobj=file) if self.path.suffix == ".gz" else file
        lines = self._lines(raw, file)
        try:
            first = next(lines, "")
        except (gzip.BadGzipFile, EOFError) as error:
            raise Problem(1, "", f"the compressed file is broken: {error}") from error
        reader = csv.reader(chain([first], lines), strict=True, delimiter=self._delimiter(first))
        try:
            header = next(reader, None)
            if not header:
                raise Problem(1, "", "the file is empty")
            columns = self._columns(header)
            line = reader.line_num + 1
            for cells in reader:
                if cells and len(cells) != len(header):
                    words = f"it has {len(cells)} cells, the header has {len(header)}"
                    yield line, Problem(line, "", words)
                elif cells:
                    yield line, {name: _text(name, cells[index]) for name, index in columns.items()}
                line = reader.line_num + 1
        except csv.Error as error:
            raise Problem(reader.line_num, "", f"this is not CSV: {error}") from error
        except (gzip.BadGzipFile, EOFError) as error:
            raise Problem(reader.line_num + 1, "", f"the compressed file is broken: {error}") from error

    def _lines(self, raw: BinaryIO, file: BinaryIO) -> Iterator[str]:
        buffered = io.BufferedReader(raw) if not isinstance(raw, io.BufferedReader) else raw
        number = 0
        while line := buffered.readline(LONGEST_LINE):
            number += 1
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                column = len(line[: error.start].decode("utf-8", "replace")) + 1
                raise Problem(number, f"{column} (counted in characters)", "this is not UTF-8") from error
            if len(line) == LONGEST_LINE:
                raise Problem(number, "", f"the line is longer than {LONGEST_LINE} bytes")
            self.on_progress(file.tell())
            yield text

    def _delimiter(self, first: str) -> str:
        """The delimiter with which the first line has known names; a comma if there is none."""
        known = {*HEADINGS.values(), *FIELDS, *MORE, *self.mapping.values()}
        known = {str(name).lower() for name in known}

        def found(delimiter: str) -> int:
            return len({name.strip().strip('"').lower() for name in first.split(delimiter)} & known)

        return max(DELIMITERS, key=found)

    def _columns(self, header: list[str]) -> dict[str, int]:
        """The index of each field's column. Ignores columns without a name."""
        names = [name.strip().lower() for name in header]
        if twice := sorted({name for name, count in Counter(names).items() if name and count > 1}):
            raise Problem(1, twice[0], "this column appears twice")
        present = f"The file has: {', '.join(filter(None, header))}"
        for name, column in self.mapping.items():
            if column.lower() not in names:
                raise Problem(1, column, f"there is no such column for {name}. {present}")
        columns: dict[str, int] = {}
        for name in (*FIELDS, *MORE):
            # Headings of the export first: its "requester" is a name, and "requester email" the address.
            spelled = [self.mapping[name]] if name in self.mapping else [str(HEADINGS[name]), name]
            places = (names.index(one.lower()) for one in spelled if one.lower() in names)
            place = next((place for place in places if place not in columns.values()), None)
            if place is not None:
                columns[name] = place
        if not {"subject", "description"} & columns.keys():
            raise Problem(1, "", f"there is no column subject or description. {present}")
        used = columns.values()
        self.unused = [name for place, name in enumerate(header) if name.strip() and place not in used]
        return columns


def _text(name: str, cell: str) -> str:
    """The stripped text of a cell. A description keeps the indentation of its first line."""
    text = unsafe(cell)
    return text.rstrip().lstrip("\r\n") if name == "description" else without_hidden(text).strip()
