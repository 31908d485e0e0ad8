"""Opens winmail.dat, in which Outlook sometimes wraps attachments (MS-OXTNEF). Pure."""

import struct
from collections.abc import Iterator

SIGNATURE = 0x223E9F78
ATTACHMENT, TITLE, CONTENT = 0x00069002, 0x00018010, 0x0006800F
MAX_FILES = 100


def attachments(content: bytes) -> list[tuple[str, bytes]]:
    """Pairs (name, bytes); nothing where this is no winmail.dat or where it ends too early."""
    files: list[tuple[str, bytes]] = []
    name = data = b""
    for attribute, value in (*_attributes(content), (ATTACHMENT, b"")):
        if attribute == ATTACHMENT:
            if data and len(files) < MAX_FILES:
                files.append((name.rstrip(b"\0").decode("cp1252", "replace"), data))
            name = data = b""
        elif attribute == TITLE:
            name = value
        elif attribute == CONTENT:
            data = value
    return files


def _attributes(content: bytes) -> Iterator[tuple[int, bytes]]:
    if len(content) < 6 or struct.unpack_from("<I", content)[0] != SIGNATURE:
        return
    offset = 6
    while offset + 9 <= len(content):
        _level, attribute, length = struct.unpack_from("<BII", content, offset)
        start = offset + 9
        offset = start + length + 2  # a checksum follows
        if offset > len(content):
            return
        yield attribute, content[start : start + length]
