"""Reads the encoded words of headers (RFC 2047), also broken ones. Pure and linear."""

import binascii
import re
from itertools import groupby

from tickets.inbound import plain_text

NEXT = r"=\?[^?\s=]{1,60}\?[bq]\?"
# The end may be lost, and programs leave spaces and question marks within.
WORD = re.compile(
    rf"(?i)=\?(?P<charset>[^?\s=]{{1,60}})\?(?P<way>[bq])\?(?P<text>(?:(?!{NEXT})(?!\?=).)*+)(?:\?=)?"
)
NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def decode(text: str) -> str:
    """`text` with its encoded words as letters. What stands between two words is kept unless it is space.

    Words in one charset are joined before they are read: programs cut letters of several bytes in two.
    """
    pieces: list[tuple[str, str | bytes]] = []
    end = 0
    for word in WORD.finditer(text):
        between = text[end : word.start()]
        if between.strip() or not end:
            pieces.append(("", between))
        charset = word["charset"].partition("*")[0].lower()
        pieces.append((charset, _content(word["way"].lower(), word["text"])))
        end = word.end()
    pieces.append(("", text[end:]))
    groups = groupby(pieces, key=lambda piece: piece[0])
    return "".join(_joined(charset, [piece for _charset, piece in group]) for charset, group in groups)


def _joined(charset: str, pieces: list) -> str:
    return plain_text.decode(b"".join(pieces), charset) if charset else "".join(pieces)


def _content(way: str, text: str) -> bytes:
    if way == "q":
        return binascii.a2b_qp(text.encode(), header=True)
    digits = NOT_BASE64.sub("", text)
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return binascii.a2b_base64(digits + "=" * (-len(digits) % 4))
