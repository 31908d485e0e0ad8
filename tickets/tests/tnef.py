"""Writes winmail.dat as Outlook does (MS-OXTNEF), for tests."""

import struct

UNICODE, BINARY, OBJECT, LONG, TIME, STRING = 0x1F, 0x102, 0x0D, 0x03, 0x40, 0x1E
MESSAGE = bytes.fromhex("0703020000000000c000000000000046")
STORAGE = bytes.fromhex("0b00000000000000c000000000000046")


def attribute(level: int, number: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, number, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def prop(kind: int, number: int, value) -> bytes:
    head = struct.pack("<HH", kind, number)
    if kind == LONG:
        return head + struct.pack("<I", value)
    if kind == TIME:
        return head + struct.pack("<Q", value)
    if kind == UNICODE:
        value = value.encode("utf-16-le") + b"\0\0"
    return head + struct.pack("<II", 1, len(value)) + value + b"\0" * (-len(value) % 4)


def named(kind: int, number: int, value) -> bytes:
    """A property of appointments, which has a number of its own."""
    appointment = bytes.fromhex("0220060000000000c000000000000046")
    head = struct.pack("<HH", kind, 0x8001) + appointment + struct.pack("<II", 0, number)
    return head + prop(kind, 0, value)[4:]


def props(*values: bytes) -> bytes:
    return struct.pack("<I", len(values)) + b"".join(values)


def attached(title: bytes, content: bytes = b"", *values: bytes) -> bytes:
    parts = attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, title + b"\0")
    parts += attribute(2, 0x0006800F, content) if content else b""
    return parts + (attribute(2, 0x00069005, props(*values)) if values else b"")


def message(*values: bytes) -> bytes:
    """The properties of the item itself."""
    return attribute(1, 0x00069003, props(*values))


def winmail(*parts: bytes, code_page: int = 1252) -> bytes:
    head = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, b"\0\0\1\0")
    return head + attribute(1, 0x00069007, struct.pack("<II", code_page, 0)) + b"".join(parts)


def item(name: str, content: bytes, kind: bytes = MESSAGE) -> bytes:
    """An attachment that is an item of Outlook's, or another object."""
    return attached(
        b"x", b"", prop(LONG, 0x3705, 5), prop(UNICODE, 0x3001, name), prop(OBJECT, 0x3701, kind + content)
    )


def compressed(text: bytes) -> bytes:
    """Rich text as LZFu without any repetition (MS-OXRTFCP)."""
    packed = b"".join(b"\0" + text[at : at + 8] for at in range(0, len(text), 8))
    return struct.pack("<II4sI", len(packed) + 12, len(text), b"LZFu", 0) + packed


def rich(text: bytes) -> bytes:
    return prop(BINARY, 0x1009, compressed(text))
