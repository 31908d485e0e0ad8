"""Reads a CSV file of people, as spreadsheets, Microsoft 365 and Google write it."""

import codecs
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.validators import without_hidden
from helpdesk import csv_files
from helpdesk.csv_files import Problem, unsafe

# The headings that a column may have, as plain() writes them; the first one is preferred.
HEADINGS = {
    "email": (
        *("email", "email address", "e mail", "e mail address", "work email", "primary email", "mail"),
        *("user principal name", "userprincipalname", "upn", "address"),
    ),
    "full_name": ("name", "full name", "display name", "displayname"),
    "given_name": ("first name", "given name", "givenname"),
    "family_name": ("last name", "family name", "surname"),
    "department": ("department", "dept"),
    "location": ("location", "office", "office location", "office name"),
    "phone": ("phone", "phone number", "telephone", "work phone", "office phone", "mobile phone"),
    "role": ("role",),
}
FIELDS = tuple(HEADINGS)
LABELED = ("email", "full_name", "department", "location", "phone")
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
LONGEST_HEADER = 10_000  # characters
WINDOWS = "windows-1252"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .xls


def plain(heading: str) -> str:
    """`heading` in lower case, without marks like the "[Required]" of Google's exports."""
    return " ".join(re.sub(r"\[[^\[\]]*\]|[_\-]", " ", heading).lower().split())


@dataclass
class PeopleTable:
    """The rows of `content` by field name. `mapping` names the column of a field where its heading is other.

    Raises Problem if the file is unreadable.
    """

    content: bytes
    mapping: Mapping[str, str] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)  # of the columns that are used, by field
    unused: list[str] = field(default_factory=list)
    is_guessed: bool = False  # whether the text is no UTF-8, and read as WINDOWS

    def rows(self) -> Iterator[tuple[int, dict[str, str] | Problem]]:
        """Yields (line, {field: text}), or a Problem for a row with too few or too many cells."""
        lines = io.StringIO(self._text(), newline="")
        return csv_files.rows(lines, delimiter_of=self._delimiter, columns_of=self._columns, text=_cell)

    def _text(self) -> str:
        if self.content.startswith(WORKBOOKS):
            raise Problem(1, "", _("this is an Excel workbook. Save it as CSV (UTF-8) first"))
        encoding = self._encoding()
        try:
            return self.content.decode(encoding)
        except UnicodeDecodeError as error:
            line = self.content.count(b"\n", 0, error.start) + 1
            words = _("the characters are not readable. Save the file as CSV (UTF-8)")
            raise Problem(line, "", words) from error

    def _encoding(self) -> str:
        for mark, encoding in BYTE_ORDER_MARKS.items():
            if self.content.startswith(mark):
                return encoding
        if b"\0" in self.content[:2]:
            return "utf-16-be" if self.content.startswith(b"\0") else "utf-16-le"
        try:
            self.content.decode()
        except UnicodeDecodeError:
            self.is_guessed = True
            return WINDOWS
        return "utf-8"

    def _spellings(self) -> dict[str, list[str]]:
        """HEADINGS, the labels of our own pages in the reader's language, and what `mapping` says instead."""
        labels = {name: plain(str(User._meta.get_field(name).verbose_name)) for name in LABELED}
        found = {name: [*HEADINGS[name], *filter(None, [labels.get(name)])] for name in FIELDS}
        return found | {name: [plain(column)] for name, column in self.mapping.items()}

    def _delimiter(self, header: str) -> str:
        if len(header) > LONGEST_HEADER:
            raise Problem(1, "", _("the header is too long"))
        known = (one for names in self._spellings().values() for one in names)
        return csv_files.delimiter_of(header, known, plain=plain)

    def _columns(self, header: list[str]) -> dict[str, int]:
        names, spellings = [plain(name) for name in header], self._spellings()
        present = _("The file has: %(columns)s") % {"columns": ", ".join(filter(None, header))}
        columns = csv_files.columns_of(names, spellings)
        for name, column in self.mapping.items():
            if name not in columns:
                words = _("there is no such column for %(field)s.") % {"field": name}
                raise Problem(1, column, f"{words} {present}")
        if "email" not in columns:
            words = _("there is no column with the email address. Name it “email”.")
            raise Problem(1, "", f"{words} {present}")
        self.headings = {name: header[place].strip() for name, place in columns.items()}
        used = columns.values()
        self.unused = [
            name.strip() for place, name in enumerate(header) if name.strip() and place not in used
        ]
        return columns


def _cell(_name: str, cell: str) -> str:
    return without_hidden(unsafe(cell)).strip()
