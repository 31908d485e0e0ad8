"""Takes files out of texts, before the characters of a mail are counted. Pure and linear."""

import binascii
import re
from urllib.parse import unquote_to_bytes

PICTURE = re.compile(
    rb"data:(image/[a-z0-9.+-]{1,40})(?:;[a-z0-9=._-]{1,60}){0,4};base64,([a-zA-Z0-9+/=\s%_-]*+)", re.I
)
BEGIN = re.compile(rb"begin [0-7]{3,4} ([^\r\n]{1,250})")
REFERENCE = re.compile(rb"cid:([^\"'\s<>)]{1,200})", re.IGNORECASE)


def pictures(html: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """HTML without the pictures in data: addresses, and pairs (type, bytes) of them."""
    found: list[tuple[str, bytes]] = []

    def take(match: re.Match[bytes]) -> bytes:
        written = unquote_to_bytes(match[2]) if b"%" in match[2] else match[2]
        if content := _base64(written):
            found.append((match[1].decode().lower(), content))
        return b"cid:"

    return PICTURE.sub(take, html), found


def references(html: bytes) -> set[str]:
    """The Content-IDs of the pictures that HTML shows."""
    return {name.decode("utf-8", "replace").lower() for name in REFERENCE.findall(html)}


def uuencoded(text: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A text without its uuencoded files, and pairs (name, bytes) of them. Broken ones stay in the text."""
    if b"begin" not in text:
        return text, []
    found: list[tuple[bytes, bytes]] = []
    kept: list[bytes] = []
    lines = text.splitlines(keepends=True)
    index = 0
    while index < len(lines):
        begin = BEGIN.fullmatch(lines[index].rstrip())
        content, end = _decoded(lines, index + 1) if begin else (None, index + 1)
        if begin and content is not None:
            found.append((begin[1], content))
        else:
            kept += lines[index:end]
        index = end
    return b"".join(kept), found


def _decoded(lines: list[bytes], start: int) -> tuple[bytes | None, int]:
    """The bytes up to the line "end", and the index after it. None where a line before that is no code."""
    content = []
    for index in range(start, len(lines)):
        line = lines[index].rstrip(b"\r\n")
        if line.strip() == b"end":
            return b"".join(content), index + 1
        try:
            content.append(binascii.a2b_uu(line))
        except binascii.Error:
            return None, index
    return None, len(lines)


def _base64(text: bytes) -> bytes:
    text = text.translate(bytes.maketrans(b"-_", b"+/"), b" \t\r\n=")
    text = text[:-1] if len(text) % 4 == 1 else text
    try:
        return binascii.a2b_base64(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""
