"""Decodes encoded words in headers (RFC 2047), also broken ones. Pure and linear."""

import binascii
import re
from itertools import groupby

from tickets.mail.receiving import base64_lenient, plain_text

NEXT = r"=\?[^?\s=]{1,60}\?[bq]\?"
# The end may be missing, and some programs leave spaces and question marks in the text.
WORD = re.compile(
    rf"(?i)=\?(?P<charset>[^?\s=]{{1,60}})\?(?P<way>[bq])\?(?P<text>(?:(?!{NEXT})(?!\?=).)*+)(?:\?=)?"
)


def decode(text: str) -> str:
    """`text` with decoded words. White space between two encoded words is removed.

    Joins words of the same charset before decoding, because programs split multi-byte characters.
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
    return base64_lenient.decode(text.encode())
