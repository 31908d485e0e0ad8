"""Reads the MAPI properties of an Outlook item in winmail.dat. Pure and linear.

MS-OXTNEF 2.1.3.4 defines their format, MS-OXPROPS their meaning.
"""

import struct
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tickets.mail.receiving.charsets import letters
from tickets.mail.receiving.limits import YEARS, Budget

STRING, UNICODE, BINARY, OBJECT, TIME = 0x001E, 0x001F, 0x0102, 0x000D, 0x0040
MULTIPLE = 0x1000
LARGE = (STRING, UNICODE, BINARY, OBJECT)
# The sizes of the other types in bytes, padded to multiples of four.
SIZES = {
    0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8, 0x000A: 4, 0x000B: 4, 0x0014: 8,
    0x0048: 16, TIME: 8,
}  # fmt: skip
NAMED = 0x8000  # from here on a property set and a number or a name follow
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)

# MS-OXPROPS
SUBJECT, BODY, RTF, HTML, CODE_PAGE = 0x0037, 0x1000, 0x1009, 0x1013, 0x3FDE
MESSAGE_CLASS, SUBMITTED, DELIVERED, DISPLAY_TO, DISPLAY_CC = 0x001A, 0x0039, 0x0E06, 0x0E04, 0x0E03
SENDER_NAME, SENDER_ADDRESS, SENDER_SMTP = 0x0C1A, 0x0C1F, 0x5D01
AUTHOR_NAME, AUTHOR_ADDRESS, AUTHOR_SMTP = 0x0042, 0x0065, 0x5D02
CONTENT, LONG_NAME, SHORT_NAME, DISPLAY_NAME, METHOD = 0x3701, 0x3707, 0x3704, 0x3001, 0x3705
MIME_TYPE, CONTENT_ID = 0x370E, 0x3712
START, END = 0x0060, 0x0061
LOCATION = -0x8208  # a named property of appointments


class Value(NamedTuple):
    kind: int
    content: memoryview


class Properties:
    """Properties by number. A property that is named by a number has the negative number."""

    def __init__(self, values: dict[int, Value], code_page: str = "") -> None:
        self._values = values
        self._code_page = code_page

    def text(self, *numbers: int) -> str:
        """The first non-empty text among these properties, or ""."""
        for number in numbers:
            value = self._values.get(number)
            if value is None or value.kind not in (STRING, UNICODE):
                continue
            if text := self._decoded(value).partition("\0")[0].strip():
                return text
        return ""

    def content(self, number: int) -> tuple[memoryview, int]:
        """The bytes and the type of a large value; empty if it is absent or small."""
        value = self._values.get(number)
        return (value.content, value.kind) if value and value.kind in LARGE else (memoryview(b""), 0)

    def number(self, number: int) -> int:
        value = self._values.get(number)
        return int.from_bytes(value.content[:4], "little") if value and value.kind == 0x0003 else 0

    def moment(self, *numbers: int) -> datetime | None:
        """The first valid time among these properties. FILETIME counts steps of 100 ns."""
        for number in numbers:
            value = self._values.get(number)
            if value is None or value.kind != TIME:
                continue
            steps = int.from_bytes(value.content, "little")
            if steps < 2**60:
                moment = EPOCH + timedelta(microseconds=steps // 10)
                if moment.year in YEARS:
                    return moment
        return None

    def _decoded(self, value: Value) -> str:
        if value.kind == UNICODE:
            return bytes(value.content).decode("utf-16-le", "replace")
        return letters(bytes(value.content), self._code_page)


class Broken(ValueError):
    """A length is wrong, or a type is unknown."""


def spend(budget: Budget) -> None:
    """Counts one piece. Raises Broken if the budget is used up."""
    budget.pieces -= 1
    if budget.pieces < 0:
        raise Broken("There is too much in it.")


def read(data: memoryview, budget: Budget) -> tuple[dict[int, Value], bool]:
    """The properties, and whether all were readable."""
    reader = _PropertyReader(data, budget)
    values: dict[int, Value] = {}
    try:
        for _number in range(reader.count()):
            spend(budget)
            kind, number = struct.unpack("<HH", reader.take(4))
            if number >= NAMED:
                number = reader.name()
            if value := reader.value(kind):
                values.setdefault(number, value)
    except Broken:
        return values, False
    return values, True


class _PropertyReader:
    def __init__(self, data: memoryview, budget: Budget) -> None:
        self.data, self.budget, self.offset = data, budget, 0

    def take(self, size: int, *, filled: bool = False) -> memoryview:
        start, end = self.offset, self.offset + size
        if end > len(self.data):
            raise Broken("A length lies.")
        # The padding of the last value may be missing.
        self.offset = end + (-size % 4 if filled else 0)
        return self.data[start:end]

    def count(self) -> int:
        spend(self.budget)
        return struct.unpack("<I", self.take(4))[0]

    def name(self) -> int:
        """The negative number of a named property; 0 if its name is a text."""
        self.take(16)
        if self.count():
            self.take(self.count(), filled=True)
            return 0
        return -self.count()

    def value(self, kind: int) -> Value | None:
        """The first value of a property."""
        bare = kind & ~MULTIPLE
        if bare in SIZES:
            count = self.count() if kind & MULTIPLE else 1
            size = SIZES[bare]
            values = self.take(count * size)
            return Value(bare, values[:size]) if count else None
        if bare not in LARGE:
            raise Broken("A type is unknown.")
        first = None
        for _number in range(self.count()):
            content = self.take(self.count(), filled=True)
            first = Value(bare, content) if first is None else first
        return first
