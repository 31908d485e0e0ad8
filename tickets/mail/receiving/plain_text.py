"""Decodes and cleans plain text. Pure and linear."""

import re
import unicodedata

from tickets.mail.receiving.charsets import letters

# Bidirectional controls, which can display "gpj.exe" as "exe.jpg".
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NO_DIRECTIONS = dict.fromkeys(map(ord, DIRECTIONS))
# A letter with more combining accents is abuse. Normalization sorts them in quadratic time (UAX 15, 13).
ACCENTS = "".join(filter(unicodedata.combining, map(chr, range(0x20000))))
TOWER = re.compile(f"([{ACCENTS}]{{16}})[{ACCENTS}]+")
MOST_BYTES = 4  # per character, in any charset
CONTROL = re.compile("[\x00-\x08\x0b\r-\x1f\x7f-\x9f\ufeff]")


class Allowance:
    """The number of characters of a message that may still be read."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def read(self, content: bytes, charset: str) -> tuple[str, bool]:
        """The text within the allowance, and whether it is cut."""
        start = content[: MOST_BYTES * self.left]
        is_all = len(start) == len(content)
        text = decode(start, charset, is_all=is_all)
        is_cut = not is_all or len(text) > self.left
        text = text[: self.left]
        self.left -= len(text)
        return text, is_cut


def decode(content: bytes, charset: str = "", *, is_all: bool = True) -> str:
    """Decodes bytes (see charsets.letters) and cleans the text."""
    return clean(letters(content, charset, is_all=is_all))


def clean(text: str) -> str:
    """Removes control characters, lone surrogates and excess accents, and normalizes line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    text = CONTROL.sub("", text)
    if not text.isascii():
        text = TOWER.sub(r"\1", text)
    return text.encode("utf-8", "replace").decode()


def one_line(text: str, limit: int) -> str:
    text = " ".join(clean(text).translate(NO_DIRECTIONS).split())
    return unicodedata.normalize("NFC", text[: 4 * limit])[:limit].strip()


def unflow(text: str, *, deletes_space: bool) -> str:
    """Joins the soft line breaks of format=flowed (RFC 3676)."""
    lines: list[list[str]] = []
    is_open, depth = False, 0
    for line in text.split("\n"):
        inner = line.lstrip(">")
        deep = len(line) - len(inner)
        inner = inner.removeprefix(" ")
        is_joined = is_open and deep == depth and inner != "-- "
        is_open, depth = inner.endswith(" ") and inner != "-- ", deep
        piece = inner[:-1] if is_open and deletes_space else inner
        if is_joined:
            lines[-1].append(piece)
        else:
            lines.append([">" * deep + (" " if deep and inner else ""), piece])
    return "\n".join(map("".join, lines))
