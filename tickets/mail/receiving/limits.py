"""Limits of a message, checked in one linear scan before it is parsed. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

MAX_BYTES = 26 * 1024 * 1024
MAX_HEADER_BYTES = 256 * 1024
MAX_LINES = 600_000
MAX_LINES_BY_LEVELS = 1_200_000  # the parser compares each line with the boundary of each level above it
MAX_MARKS = 200_000  # lines that begin with two dashes, and words "boundary"
MAX_HEADERS = 1000  # of one part
MAX_ALL_HEADERS = 5 * MAX_HEADERS
MAX_PARTS = 100
MAX_LEVELS = 10
MAX_FILES = 200  # winmail.dat may hold many
MAX_FILES_TAKEN = 20  # files of one message that a ticket gets; a form takes fewer
MAX_CHARACTERS = 300_000  # that are read of all texts together; a ticket shows 20,000
YEARS = range(1970, 2200)  # years of plausible dates

END_OF_HEADERS = re.compile(rb"\r?\n\r?\n|\r\r")
# A line that may be a boundary, or a boundary parameter; and where they may start.
BOUNDARY = re.compile(rb'(?m)^--([^\r\n]+)|(?i:boundary)\*?0?\*?\s*=\s*"?([^"\r\n;]+)')
FEW = 50  # bytes per candidate on average
DASHES, PARAMETER = b"\n--", b"boundary"


@dataclass
class Budget:
    """How much of the packed content of one message may still be read."""

    pieces: int = 60_000  # of winmail.dat
    rich_text: int = 600_000  # bytes
    calendars: int = 10
    embedded: int = 1000  # files within texts, and what looks like one
    tags: int = 20_000  # that open in HTML; below zero: there were more


class TooComplex(ValueError):
    """The message has too many bytes, lines, parts or levels."""


def check_size(raw: bytes) -> list[re.Match[bytes]]:
    """Returns the matches of BOUNDARY. Raises TooComplex.

    The parser counts again, for boundaries that this scan does not recognise.
    """
    if len(raw) > MAX_BYTES:
        raise TooComplex(f"The mail is larger than {MAX_BYTES // 1024 // 1024} MB.")
    if max(raw.count(b"\n"), raw.count(b"\r")) > MAX_LINES:
        raise TooComplex(f"The mail has more than {MAX_LINES} lines.")
    end = END_OF_HEADERS.search(raw)
    if (end.start() if end else len(raw)) > MAX_HEADER_BYTES:
        raise TooComplex(f"The headers are larger than {MAX_HEADER_BYTES // 1024} KB.")
    return _check_parts(raw)


def boundaries(raw: bytes) -> Iterator[re.Match[bytes]]:
    """The matches of BOUNDARY. If candidates are few, searching for them first takes a tenth of the time."""
    few = len(raw) // FEW + 1
    starts = [place + 1 for place in islice(_places(raw, DASHES), few)]
    starts += islice(_places(raw.lower(), PARAMETER), few)
    if len(starts) >= few:
        yield from BOUNDARY.finditer(raw)
        return
    end = 0
    for start in sorted([0, *starts]):
        if start >= end and (found := BOUNDARY.match(raw, start)):
            end = found.end()
            yield found


def _places(raw: bytes, word: bytes) -> Iterator[int]:
    place = raw.find(word)
    while place >= 0:
        yield place
        place = raw.find(word, place + len(word))


def _check_parts(raw: bytes) -> list[re.Match[bytes]]:
    declared: set[bytes] = set()
    opened: list[bytes] = []
    known: list[re.Match[bytes]] = []
    parts = place = work = 0
    for found in boundaries(raw):
        known.append(found)
        if len(known) > MAX_MARKS:
            raise TooComplex(f"The mail has more than {MAX_MARKS} lines that look like boundaries.")
        if found[2]:
            declared.add(found[2].rstrip())
            continue
        mark = found[1].rstrip()
        is_end = mark not in declared and mark.endswith(b"--")
        mark = mark[:-2] if is_end else mark
        if mark not in declared:
            continue
        work += raw.count(b"\n", place, found.start()) * len(opened)
        place = found.start()
        if mark in opened:
            del opened[opened.index(mark) + (not is_end) :]
        elif not is_end:
            opened.append(mark)
        parts += not is_end
        if parts > MAX_PARTS:
            raise TooComplex(f"The mail has more than {MAX_PARTS} parts.")
        if len(opened) > MAX_LEVELS:
            raise TooComplex(f"The mail is nested more than {MAX_LEVELS} levels deep.")
    work += raw.count(b"\n", place) * len(opened)
    if work > MAX_LINES_BY_LEVELS:
        raise TooComplex(
            f"The mail has more than {MAX_LINES_BY_LEVELS // MAX_LEVELS} lines that are nested deep."
        )
    return known
