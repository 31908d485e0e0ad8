"""Tickets from a CSV file. Each row becomes an unsaved ticket or problems that name line and column."""

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import BinaryIO

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from tickets.models import Category, Status, Ticket
from tickets.workflow import Phase

FIELDS = (
    "subject", "description", "category", "status", "priority", "requester", "assignee",
    "created_at", "done_at",
)  # fmt: skip
FALLBACK_CATEGORY = "Other"
SUBJECT_FROM_DESCRIPTION = 80  # characters
LONGEST_LINE = 32 * 1024 * 1024  # bytes; a longer one is no CSV
refuse_null = ProhibitNullCharactersValidator()


@dataclass(eq=False)
class Problem(Exception):
    """Why a line can't be imported. Lines count from 1, the header's."""

    line: int
    column: str
    message: str

    def __str__(self):
        place = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{place}: {self.message}"


@dataclass
class Table:
    """The rows of a CSV file by field name. Raises Problem for what makes the whole file unreadable."""

    path: Path
    mapping: dict[str, str] = field(default_factory=dict)
    on_progress: Callable[[int], None] = lambda done: None
    unused: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[int, dict[str, str] | Problem]]:
        """(line, {field: text}), or a Problem in its place where the row has too few or too many cells."""
        limit = csv.field_size_limit(LONGEST_LINE)
        try:
            with self.path.open("rb") as file:
                yield from self._rows(file)
        finally:
            csv.field_size_limit(limit)

    def _rows(self, file: BinaryIO) -> Iterator[tuple[int, dict[str, str] | Problem]]:
        raw = gzip.GzipFile(fileobj=file) if self.path.suffix == ".gz" else file
        reader = csv.reader(self._lines(raw, file), strict=True)
        try:
            header = next(reader, None)
            if header is None:
                raise Problem(1, "", "the file is empty")
            columns = self._columns(header)
            line = reader.line_num + 1
            for cells in reader:
                if cells and len(cells) != len(header):
                    words = f"it has {len(cells)} cells, the header has {len(header)}"
                    yield line, Problem(line, "", words)
                elif cells:
                    yield line, {name: cells[index].strip() for name, index in columns.items()}
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

    def _columns(self, header: list[str]) -> dict[str, int]:
        names = [name.strip().lower() for name in header]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise Problem(1, sorted(twice)[0], "this column stands there twice")
        wanted = {name: self.mapping.get(name, name).lower() for name in FIELDS}
        present = f"The file has: {', '.join(header)}"
        for name, column in self.mapping.items():
            if column.lower() not in names:
                raise Problem(1, column, f"there is no such column for {name}. {present}")
        columns = {name: names.index(column) for name, column in wanted.items() if column in names}
        if not {"subject", "description"} & columns.keys():
            raise Problem(1, "", f"there is no column subject or description. {present}")
        self.unused = [header[index] for index in range(len(header)) if index not in columns.values()]
        return columns


class Builder:
    """Makes unsaved tickets of rows. Looks people, categories and statuses up once."""

    def __init__(self, *, requester=None, create_categories: bool = False):
        self.requester = requester
        self.create_categories = create_categories
        self.now = timezone.now()
        self.categories = {category.name.lower(): category for category in Category.objects.all()}
        self.statuses = {status.name.lower(): status for status in Status.objects.all()}
        self.new, self.done = (Status.objects.default_for(phase) for phase in (Phase.NEW, Phase.DONE))
        self.priorities = {str(label).lower(): value for value, label in Ticket.Priority.choices}
        self.priorities |= {value: value for value in Ticket.Priority.values}
        self.people = {person.email: person for person in get_user_model().objects.all()}
        self.staff = set(get_user_model().objects.staff().values_list("email", flat=True))

    def ticket(self, line: int, row: dict[str, str]) -> tuple[Ticket | None, list[Problem]]:
        """The ticket of a row, or everything that is wrong with it."""
        values, problems = {}, []
        for name in FIELDS:
            try:
                text = row.get(name, "")
                refuse_null(text)
                values[name] = getattr(self, f"_{name}")(text, row, values)
            except (ValidationError, ValueError) as error:
                words = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
                problems.append(Problem(line, name, words))
        if problems:
            return None, problems
        return Ticket(
            **values, source=Ticket.Source.IMPORT, updated_at=values["done_at"] or values["created_at"]
        ), []

    def _subject(self, text, row, values):
        if not text:
            words = re.sub(r"\s+", " ", row.get("description", "")).strip()
            cut = words[:SUBJECT_FROM_DESCRIPTION]
            text = cut if cut == words else f"{cut.rpartition(' ')[0] or cut} …"
        if not text:
            raise ValueError("there is neither a subject nor a description")
        Ticket._meta.get_field("subject").run_validators(text)
        return text

    def _description(self, text, row, values):
        text = text or row.get("subject", "")
        Ticket._meta.get_field("description").run_validators(text)
        return text

    def _category(self, text, row, values):
        name = text or FALLBACK_CATEGORY
        category = self.categories.get(name.lower())
        if category is None and (self.create_categories or not text):
            category = Category(name=name, position=len(self.categories) + 1)
            category.full_clean()
            category.save()
            self.categories[name.lower()] = category
        if category is None:
            raise ValueError(f"there is no category {name!r}. --create-categories would make it")
        return category

    def _status(self, text, row, values):
        if not text:
            return self.done if row.get("done_at") else self.new
        if text.lower() not in self.statuses:
            raise ValueError(f"there is no status {text!r}")
        return self.statuses[text.lower()]

    def _priority(self, text, row, values):
        if text.lower() not in self.priorities and text:
            raise ValueError(f"there is no priority {text!r}. Use low, normal, high or urgent")
        return self.priorities.get(text.lower(), Ticket.Priority.NORMAL)

    def _requester(self, text, row, values):
        if not text and self.requester is None:
            raise ValueError("nobody is named. --requester EMAIL would stand in")
        return self._person(text) if text else self.requester

    def _assignee(self, text, row, values):
        if not text:
            return None
        person = self._person(text)
        if person.email not in self.staff:
            raise ValueError(f"{text} may not work on tickets")
        return person

    def _person(self, address: str):
        if address.lower() not in self.people:
            raise ValueError(f"nobody has the mail address {address!r}")
        return self.people[address.lower()]

    def _created_at(self, text, row, values):
        return self._moment(text) if text else self.now

    def _done_at(self, text, row, values):
        if "status" not in values or "created_at" not in values:
            return None  # said already
        is_done = values["status"].phase == Phase.DONE
        if not text:
            return values["created_at"] if is_done else None
        moment = self._moment(text)
        if not is_done:
            raise ValueError(f"the status {values['status']} is not done")
        if moment < values["created_at"]:
            raise ValueError("it is before created_at")
        return moment

    def _moment(self, text: str) -> datetime:
        """ISO 8601; without a time zone it is the helpdesk's."""
        try:
            moment = parse_datetime(text)
            day = parse_date(text) if moment is None else None
        except ValueError as error:
            raise ValueError(f"{text!r} is no possible date: {error}") from error
        if day:
            moment = datetime.combine(day, time.min)
        if moment is None:
            raise ValueError(f"{text!r} is no date like 2026-03-31 14:05")
        moment = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
        if moment > self.now:
            raise ValueError(f"{text!r} lies in the future")
        return moment
