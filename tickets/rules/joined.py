"""Details that arrive with a reply (without JavaScript both are one form), and which of them are changed."""

import zlib
from collections.abc import Mapping

SHOWN = "details_shown"  # the field that holds the marks of what the page showed
RESTORED = "details_restored"  # the draft of the details that the page showed


def marks(values: Mapping[str, str]) -> str:
    """Returns the short text from which touched() knows the shown values again."""
    return " ".join(f"{name}:{_mark(value)}" for name, value in values.items())


def touched(sent: Mapping[str, str]) -> list[str]:
    """Returns the names of the details in `sent` that differ from what the page showed."""
    shown = dict(part.partition(":")[::2] for part in sent.get(SHOWN, "").split())
    return [name for name, mark in shown.items() if name in sent and _mark(sent[name]) != mark]


def _mark(value: str) -> str:
    """Browsers send each line break as two characters."""
    text = value.replace("\r\n", "\n")
    return format(zlib.crc32(text.encode(errors="replace")), "x")
