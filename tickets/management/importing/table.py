"""Reads a CSV file of tickets into rows by field name, and into problems with line and column."""

import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from accounts.validators import without_hidden
from helpdesk import csv_files
from helpdesk.csv_files import LONGEST_LINE, Problem, unsafe
from tickets.reports.export import COLUMNS

# The fields of a ticket, and further columns of the export about its status and people.
FIELDS = (
    "subject", "description", "category", "status", "priority", "requester", "assignee",
    "created_at", "first_replied_at", "done_at", "updated_at",
)  # fmt: skip
MORE = ("phase", "requester_name", "requester_department", "assignee_name")
HEADINGS = {column.name: column.heading for column in COLUMNS}


@dataclass
class CsvTable:
    """The rows of a CSV file by field name. Raises Problem if the file is unreadable."""

    path: Path
    mapping: dict[str, str] = field(default_factory=dict)
    on_progress: Callable[[int], None] = lambda done: None
    unused: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[int, dict[str, str] | Problem]]:
        """Yields (line, {field: text}), or a Problem for a row with too few or too many cells."""
        with self.path.open("rb") as file:
            raw = gzip.GzipFile(fileobj=file) if self.path.suffix == ".gz" else file
            yield from csv_files.rows(
                self._lines(raw, file), delimiter_of=self._delimiter, columns_of=self._columns, text=_text
            )

    def _lines(self, raw: BinaryIO, file: BinaryIO) -> Iterator[str]:
        buffered = io.BufferedReader(raw) if not isinstance(raw, io.BufferedReader) else raw
        number = 0
        try:
            while line := buffered.readline(LONGEST_LINE):
                number += 1
                text = self._decoded(line, number)
                self.on_progress(file.tell())
                yield text
        except (gzip.BadGzipFile, EOFError) as error:
            raise Problem(number + 1, "", f"the compressed file is broken: {error}") from error

    def _decoded(self, line: bytes, number: int) -> str:
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode("utf-8", "replace")) + 1
            raise Problem(number, f"{column} (counted in characters)", "this is not UTF-8") from error
        if len(line) == LONGEST_LINE:
            raise Problem(number, "", f"the line is longer than {LONGEST_LINE} bytes")
        return text

    def _delimiter(self, first: str) -> str:
        known = (*HEADINGS.values(), *FIELDS, *MORE, *self.mapping.values())
        return csv_files.delimiter_of(first, map(str, known))

    def _columns(self, header: list[str]) -> dict[str, int]:
        """The index of each field's column. Ignores columns without a name."""
        names = [name.strip().lower() for name in header]
        present = f"The file has: {', '.join(filter(None, header))}"
        for name, column in self.mapping.items():
            if column.lower() not in names:
                raise Problem(1, column, f"there is no such column for {name}. {present}")
        columns = csv_files.columns_of(names, {name: self._spellings(name) for name in (*FIELDS, *MORE)})
        if not {"subject", "description"} & columns.keys():
            raise Problem(1, "", f"there is no column subject or description. {present}")
        used = columns.values()
        self.unused = [name for place, name in enumerate(header) if name.strip() and place not in used]
        return columns

    def _spellings(self, name: str) -> list[str]:
        """Headings of the export first: its "requester" is a name, and "requester email" the address."""
        names = [self.mapping[name]] if name in self.mapping else [str(HEADINGS[name]), name]
        return [one.lower() for one in names]


def _text(name: str, cell: str) -> str:
    """The stripped text of a cell. A description keeps the indentation of its first line."""
    text = unsafe(cell)
    return text.rstrip().lstrip("\r\n") if name == "description" else without_hidden(text).strip()
