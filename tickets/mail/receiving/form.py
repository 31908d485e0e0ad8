"""Parses a posted form into raw bytes.

Django's own parser rejects fields above DATA_UPLOAD_MAX_MEMORY_SIZE and decodes the others. Here one field
contains a whole message, whose bytes must not change.
"""

import re
from binascii import a2b_qp
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.http import parse_header_parameters

MAX_FIELDS = 500
MAX_HEAD = 8 * 1024  # bytes of a field's header, because parsing its parameters takes quadratic time
NOT_QUOTED = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class BrokenForm(ValueError):
    """The request is not a valid form. The message gives the reason."""


@dataclass(frozen=True)
class Field:
    label: str
    raw: bytes
    name: str | None = None  # of a file
    content_type: str = "text/plain"
    is_quoted: bool = False

    def read(self) -> bytes:
        """Raises BrokenForm."""
        return _unquoted(self.raw) if self.is_quoted else self.raw

    def text(self) -> str:
        return self.read().decode("utf-8", "replace")


class Form:
    """The fields by label. If a label occurs twice, `first` and `last` have the first and the last field."""

    def __init__(self, fields: Iterable[Field]):
        self.fields = list(fields)
        self.first = {field.label: field for field in reversed(self.fields)}
        self.last = {field.label: field for field in self.fields}


def parse(body: bytes, content_type: str) -> Form:
    """Raises BrokenForm."""
    try:
        kind, options = parse_header_parameters(content_type)
        if kind == "application/x-www-form-urlencoded":
            return Form(_urlencoded(body))
        if kind == "multipart/form-data":
            return Form(_multipart(body, options.get("boundary", "").encode("ascii")))
    except BrokenForm:
        raise
    except (TypeError, ValueError) as error:
        raise BrokenForm("a header can't be read") from error
    raise BrokenForm("the content type is not one of a form")


def _urlencoded(body: bytes) -> Iterator[Field]:
    pairs = body.split(b"&", MAX_FIELDS)
    if len(pairs) > MAX_FIELDS:
        raise BrokenForm("too many fields")
    for pair in pairs:
        label, _equals, value = pair.partition(b"=")
        yield Field(Field("", label[:200], is_quoted=True).text(), value, is_quoted=True)


def _unquoted(raw: bytes) -> bytes:
    """Like urllib.parse.unquote_to_bytes(), which needs seconds and a gigabyte for 26 MB."""
    if NOT_QUOTED.search(raw):
        raise BrokenForm("a field is not encoded")
    # Convert to quoted-printable, whose decoder is written in C. Without header=True it keeps "_".
    return a2b_qp(raw.replace(b"+", b" ").replace(b"=", b"=3D").replace(b"%", b"="))


def _multipart(body: bytes, boundary: bytes) -> Iterator[Field]:
    """Parses multipart/form-data (RFC 7578; RFC 2046, 5.1.1)."""
    if not boundary:
        raise BrokenForm("no boundary")
    _preamble, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_FIELDS + 1)
    if len(parts) > MAX_FIELDS:
        raise BrokenForm("too many fields")
    if not parts or not parts.pop().startswith(b"--"):
        raise BrokenForm("it is cut off")
    for part in parts:
        head, blank_line, content = part.partition(b"\r\n\r\n")
        if not blank_line:
            raise BrokenForm("a field has no header")
        if len(head) > MAX_HEAD:
            raise BrokenForm("a field's header is too long")
        headers = _headers(head)
        _kind, options = parse_header_parameters(headers.get("content-disposition", ""))
        yield Field(
            options.get("name", ""),
            content,
            name=options.get("filename"),
            content_type=headers.get("content-type") or "application/octet-stream",
        )


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _colon, value in lines}
