"""What is too much to open, found by one linear scan before the mail is parsed. Pure."""

import re

MAX_BYTES = 26 * 1024 * 1024
MAX_HEADER_BYTES = 256 * 1024
MAX_LINES = 600_000
MAX_HEADERS = 1000  # of one part
MAX_PARTS = 100
MAX_LEVELS = 10
MAX_FILES = 200  # winmail.dat may hold many
MAX_FILES_TAKEN = 20  # of one mail, onto the ticket; a form takes fewer
MAX_CHARACTERS = 300_000  # that are read, of all texts together; a ticket shows 20,000

END_OF_HEADERS = re.compile(rb"\r?\n\r?\n|\r\r")
# A line that may open or close a part, or the parameter that names such lines.
BOUNDARY = re.compile(rb'(?m)^--([^\r\n]+)|(?i:boundary)\*?0?\*?\s*=\s*"?([^"\r\n;]+)')


class TooComplex(ValueError):
    """More bytes, lines, parts or levels than we open."""


def check_size(raw: bytes) -> None:
    """Raises TooComplex. A boundary spelled in a way this scan does not know is counted while parsing."""
    if len(raw) > MAX_BYTES:
        raise TooComplex(f"The mail is larger than {MAX_BYTES // 1024 // 1024} MB.")
    if max(raw.count(b"\n"), raw.count(b"\r")) > MAX_LINES:
        raise TooComplex(f"The mail has more than {MAX_LINES} lines.")
    end = END_OF_HEADERS.search(raw)
    if (end.start() if end else len(raw)) > MAX_HEADER_BYTES:
        raise TooComplex(f"The headers are larger than {MAX_HEADER_BYTES // 1024} KB.")
    _check_parts(raw)


def _check_parts(raw: bytes) -> None:
    declared: set[bytes] = set()
    opened: list[bytes] = []
    parts = 0
    for line, name in BOUNDARY.findall(raw):
        if name:
            declared.add(name.rstrip())
            continue
        mark = line.rstrip()
        is_end = mark not in declared and mark.endswith(b"--")
        mark = mark[:-2] if is_end else mark
        if mark in opened:
            del opened[opened.index(mark) + (not is_end) :]
        elif mark in declared and not is_end:
            opened.append(mark)
        if mark in declared and not is_end:
            parts += 1
        if parts > MAX_PARTS:
            raise TooComplex(f"The mail has more than {MAX_PARTS} parts.")
        if len(opened) > MAX_LEVELS:
            raise TooComplex(f"The mail is nested more than {MAX_LEVELS} levels deep.")
