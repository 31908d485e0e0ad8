"""Mends what programs break in the headers of a mail and of its parts. Pure and linear."""

import re

from tickets.inbound.charsets import LATIN, codec_of
from tickets.inbound.limits import BOUNDARY, MAX_HEADER_BYTES

HEADER = re.compile(rb"[!-9;-~]+:|[\t ]")
SPACED = re.compile(rb"([!-9;-~]+)[\t ]+:")
# Where one of these follows, the headers were not at their end.
KNOWN = re.compile(
    rb"(?i)(From|To|Cc|Subject|Date|Message-ID|MIME-Version|Received|Reply-To|Sender|References|In-Reply-To"
    rb"|Return-Path|Content-[a-z-]+|X-[a-z0-9-]+|DKIM-Signature|Authentication-Results)[\t ]*:"
)
CHARSET = re.compile(rb'(?i)charset\s{0,5}=\s{0,5}"?([!-~]{1,40})')
ENCODINGS = {
    "base64": "base64",
    "b64": "base64",
    "quotedprintable": "quoted-printable",
    "qp": "quoted-printable",
    "uuencode": "x-uuencode",
    "uue": "x-uuencode",
}
COMMENT = re.compile(r"\([^()]*\)")
TYPE = re.compile(r'\s*+"?([\w.+-]+)\s*+[/\\]\s*+([\w.+-]+)"?[\s,;:]*+')
BARE_TYPES = {"text": "text/plain", "plain": "text/plain", "html": "text/html", "plain/text": "text/plain"}


def mended(raw: bytes) -> bytes:
    """The mail with headers that end where the empty line is.

    A line that is no header is left out, with those that continue it: joined to the line above, it could
    add to what our own server wrote there about the sender.
    """
    ends = {name.rstrip() for _line, name in BOUNDARY.findall(raw) if name}
    pieces, end = [], 0
    for start in _starts(raw, ends):
        if start < end:
            continue
        head = _head(raw, start)
        if repaired := _repaired(head):
            pieces += [raw[end:start], repaired]
            end = start + len(head)
    return b"".join([*pieces, raw[end:]]) if pieces else raw


def _starts(raw: bytes, names: set[bytes]) -> list[int]:
    """Where the headers of the mail and of its parts begin."""
    starts = [0]
    for line in BOUNDARY.finditer(raw):
        if line[1] and line[1].rstrip() in names:
            end = raw.find(b"\n", line.end())
            starts += [end + 1] if end >= 0 else []
    return starts


def _head(raw: bytes, start: int) -> bytes:
    """From there to the empty line; empty where no header begins there or too much follows."""
    position, limit = start, start + MAX_HEADER_BYTES
    while position < limit:
        end = raw.find(b"\n", position, limit)
        if end < 0:
            return b""
        if not raw[position : end + 1].strip() or raw.startswith(b"--", position):
            return raw[start:position]
        position = end + 1
    return b""


def _repaired(head: bytes) -> bytes:
    """b"" where nothing is broken."""
    lines = head.splitlines(keepends=True)
    last = max((index for index, line in enumerate(lines) if KNOWN.match(line)), default=0)
    kept: list[bytes] = []
    is_broken = False  # and so the lines that continue it
    for index, line in enumerate(lines):
        is_envelope = not index and line.startswith(b"From ")
        if spaced := SPACED.match(line):
            kept.append(spaced[1] + line[spaced.end() - 1 :])
            is_broken = False
        elif is_envelope or index > last or (HEADER.match(line) and not (is_broken and line[:1] in b" \t")):
            kept.append(line)
            is_broken = False
        elif not kept:
            return b""  # the text begins at once
        else:
            is_broken = True
    return b"".join(kept) if kept != lines else b""


def bare_charset(raw: bytes) -> str:
    """The first charset that a part declares and that says more than UTF-8; "" where none does."""
    for found in CHARSET.finditer(raw):
        name = found[1].partition(b'"')[0].partition(b";")[0].decode()
        if codec_of(name) not in ("utf-8", LATIN):
            return name
    return ""


def mended_header(name: str, value: str) -> str:
    """Odd spellings of a part's type and encoding in the one that the library knows."""
    if name.lower() == "content-transfer-encoding":
        word = "".join(filter(str.isalnum, COMMENT.sub("", value).partition(";")[0].lower()))
        return ENCODINGS.get(word.removeprefix("x"), value)
    if name.lower() == "content-type":
        if known := BARE_TYPES.get(value.partition(";")[0].strip(' "').lower()):
            return f"{known};{value.partition(';')[2]}"
        if kind := TYPE.match(value):
            return f"{kind[1]}/{kind[2]}; {value[kind.end() :]}"
    return value
