"""Splits a plain text into blocks: paragraphs, aligned columns, quotations. Pure, in linear time."""

import re
from collections.abc import Iterator
from itertools import groupby

WORDS, COLUMNS, QUOTE = "words", "columns", "quote"
# Most texts contain none of these, and one search tells.
MAY_HOLD_BLOCKS = re.compile(r"^(?: {4}|[ \t]*[>|+])|\t|\S {2,}\S", re.MULTILINE)
INDENTED = re.compile(r"(?: {4}| {0,3}\t)")
# A gap that does not occur between words; some people type two spaces after a sentence.
GAP = re.compile(r"\S(?:\t| {3,})\S|[^\s.!?] {2}\S")
# Letters that are written from right to left, and characters that change the direction.
TURNS = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff"
    "\u200f\u202a-\u202e\u2066-\u2069]"
)
QUOTED = re.compile(r"(?:> ?)+")


def blocks(text: str, *, has_quotes: bool) -> Iterator[tuple[str, list[str]]]:
    """Yields (kind, lines) for `text`, top down. The blocks contain all lines except outer empty ones.

    COLUMNS need a monospaced font: lines that are indented by four spaces or a tab, and two or more lines
    with gaps in them or between bars. An empty line belongs to the block above it. `has_quotes`: whether
    lines that begin with ">" are quotations, as in email; a text from the portal may say "> 5 V".
    """
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    while lines and not lines[-1].strip():
        lines.pop()
    lines = lines[first:]
    kinds = _kinds(lines, has_quotes) if MAY_HOLD_BLOCKS.search(text) else [WORDS] * len(lines)
    for kind, run in groupby(zip(kinds, lines, strict=True), key=lambda pair: pair[0]):
        yield kind, [line for _kind, line in run]


def isolated(words: str) -> str:
    """Wraps `words` in isolates, so that they don't change the order of the sentence they stand in (UAX 9,
    2.7).
    """
    return f"\u2068{words}\u2069" if TURNS.search(words) else words


def unquoted(line: str) -> str:
    """Returns a quoted line without its ">" marks."""
    return QUOTED.sub("", line, count=1)


def _kinds(lines: list[str], has_quotes: bool) -> list[str]:
    rough = [_kind(line, has_quotes) for line in lines]
    kinds: list[str] = []
    for number, kind in enumerate(rough):
        if kind == "empty":
            kind = kinds[-1]
        elif kind == "gap":  # a single line with a gap is not a table
            beside = rough[max(number - 1, 0) : number] + rough[number + 1 : number + 2]
            kind = COLUMNS if {"gap", COLUMNS} & set(beside) else WORDS
        kinds.append(kind)
    return kinds


def _kind(line: str, has_quotes: bool) -> str:
    bare = line.strip()
    if not bare:
        return "empty"
    if has_quotes and line[0] == ">":
        return QUOTE
    if INDENTED.match(line):
        return COLUMNS
    is_row = len(bare) > 1 and bare[0] in "|+" and bare[-1] in "|+"
    return "gap" if is_row or GAP.search(line) else WORDS
