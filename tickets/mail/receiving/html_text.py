"""Converts HTML to plain text, for messages without plain text. Pure and linear."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tickets.mail.receiving import html_attributes
from tickets.mail.receiving.html_attributes import Attributes
from tickets.mail.receiving.html_events import SILENT, html_events
from tickets.mail.receiving.limits import Budget
from tickets.mail.receiving.plain_text import clean

LINES = {
    "div", "tr", "li", "dt", "dd", "address", "section", "article", "header", "footer", "center", "hr",
    "caption", "figcaption", "figure",
}  # fmt: skip
PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote"}
LISTS = ("ul", "ol")
CELLS = ("td", "th")
SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
# "<" without a tag (HTML, 13.2.5.6). A noncharacter replaces it, because each would be an event of its own.
LONE_BRACKETS, STAND_IN = re.compile(r"<+(?=<)|<(?![a-zA-Z/!?])"), "\ufdd0"
# Elements without character references (HTML, 13.2.5.1).
RAW_TEXT = re.compile(r"<(?:xmp|plaintext|iframe|noembed|noframes)\b", re.IGNORECASE)
# A cell with more lines or characters belongs to the layout of a page, not to a table.
MOST_LINES_OF_CELL, MOST_CHARACTERS_OF_CELL = 3, 300
MOST_LEVELS = 20  # of nested quotations
MOST_INDENT = 3  # text with four spaces would be shown as preformatted


def from_html(html: str, budget: Budget | None = None) -> str:
    """The text of HTML, up to the last tag of the `budget`. Loads and runs nothing.

    Quotations become lines with ">", rows of tables `a | b`, items of lists `- a` and `1. a`.
    """
    writer, budget = _Writer(), budget or Budget()
    html = html.replace(STAND_IN, "")
    if not RAW_TEXT.search(html):
        html = LONE_BRACKETS.sub(lambda brackets: STAND_IN * len(brackets[0]), html)
    for event, what in html_events(html):
        if event == "start":
            budget.tags -= 1
            if budget.tags < 0:
                break
            writer.start(*what)
        elif event == "end":
            writer.end(what)
        elif event == "text":
            writer.write(what)
    return clean(writer.text()).strip("\n").replace(STAND_IN, "<")


@dataclass
class _List:
    label: Callable[[int], str] | None  # None for bullets
    number: int
    is_begun: bool = False


@dataclass
class _Table:
    """An open table. A row becomes one line if all its cells are short."""

    is_layout: bool
    level_of_lists: int
    starts: list[int] = field(default_factory=list)  # the first line of each cell of the row
    has_blocks: bool = False  # whether the row contains tables, lists or quotations
    columns: int = 0  # of the previous row, if it became one line


class _Writer:
    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []  # quotation depth and text
        self.pieces: list[str] = []
        self.depth = 0  # of quotations
        self.gap: int | None = None  # the quotation depth of a pending empty line
        self.is_silent = self.is_verbatim = self.is_tight = self.has_hard_space = False
        self.link, self.link_start = "", 0
        self.lists: list[_List] = []
        self.marker = ""  # of the list item whose text comes next
        self.tables: list[_Table] = []

    def text(self) -> str:
        self.break_line()
        while self.tables:
            self._end_table()
        return "\n".join(f"{'>' * depth} {line}".rstrip() if depth else line for depth, line in self.lines)

    def start(self, tag: str, attributes: Attributes) -> None:
        self.is_silent = tag in SILENT
        if tag == "p":  # Outlook's paragraphs have no margin
            self.is_tight = "Mso" in (attributes.get("class") or "")
        self._break(tag)
        if tag == "br":
            self.break_line(is_forced=True)
        elif tag == "img":
            self.pieces.append(html_attributes.alternative(attributes))
        elif tag == "a":
            self.link, self.link_start = (
                html_attributes.address(attributes.get("href") or ""),
                len(self.pieces),
            )
        elif tag == "li":
            self._start_item(attributes)
        elif tag in LISTS:
            self.lists.append(
                _List(
                    html_attributes.label_of(tag, attributes),
                    html_attributes.whole_number(attributes.get("start")) or 1,
                )
            )
        elif tag in CELLS:
            self._start_cell()
        elif tag == "tr":
            self._end_row()
        elif tag == "table":
            self._start_table(attributes)
        elif tag == "blockquote":
            self._hold_block()
            self.depth = min(self.depth + 1, MOST_LEVELS)
        elif tag == "pre":
            self._hold_block()
            self.is_verbatim = True

    def end(self, tag: str) -> None:
        self.is_silent = False
        if tag == "a" and self.link:
            if not html_attributes.is_said(self.link, "".join(self.pieces[self.link_start :])):
                self.pieces.append(f" ({self.link.removeprefix('mailto:')})")
            self.link = ""
        if tag in LISTS and self.lists:
            self.break_line()
            self.lists.pop()
        self._break(tag)
        if tag == "li":
            self.marker = ""
        elif tag == "tr":
            self._end_row()
        elif tag == "table":
            self._end_table()
        elif tag == "blockquote":
            self.depth = max(self.depth - 1, 0)
        elif tag == "pre":
            self.is_verbatim = False

    def write(self, text: str) -> None:
        if self.is_silent:
            return
        if self.is_verbatim:
            first, *others = text.split("\n")
            self.pieces.append(first)
            for line in others:
                self.break_line(is_forced=True)
                self.pieces.append(line)
        else:
            self.has_hard_space = self.has_hard_space or "\xa0" in text
            self.pieces.append(SPACE.sub(" ", text))

    def break_line(self, *, is_forced: bool = False) -> None:
        line = "".join(self.pieces)
        line = line.rstrip() if self.is_verbatim else SPACE.sub(" ", line).strip()
        if line:
            self._close_gap()
            self.lines.append((self.depth, self.marker + line))
            self.marker = ""
        elif is_forced and not self.marker:
            self._close_gap()
            self.lines.append((self.depth, ""))
        elif self.has_hard_space:  # Outlook writes an empty line as a paragraph with a no-break space
            self._open_gap()
        self.pieces, self.link_start, self.has_hard_space = [], 0, False

    def _break(self, tag: str) -> None:
        if tag not in LINES and tag not in PARAGRAPHS:
            return
        self.break_line()
        is_close = self.marker or (self.is_tight if tag == "p" else tag in LISTS and self.lists)
        if tag in PARAGRAPHS and not is_close:
            self._open_gap()

    def _open_gap(self) -> None:
        if self.gap is None:
            self.gap = self.depth

    def _close_gap(self) -> None:
        if self.gap is not None and self.lines and self.lines[-1][1]:
            self.lines.append((self.gap, ""))
        self.gap = None

    def _hold_block(self) -> None:
        if self.tables:
            self.tables[-1].has_blocks = True

    # Lists
    def _start_item(self, attributes: Attributes) -> None:
        self._hold_block()
        if not self.lists:
            self.marker = "- "
            return
        inner = self.lists[-1]
        if inner.is_begun:
            self.gap = None
        inner.is_begun = True
        given = html_attributes.whole_number(attributes.get("value"))
        inner.number = inner.number if given is None else given
        indent = " " * min(2 * (len(self.lists) - 1), MOST_INDENT)
        self.marker = f"{indent}{inner.label(inner.number)}. " if inner.label else f"{indent}- "
        inner.number += 1

    # Tables
    def _start_table(self, attributes: Attributes) -> None:
        self._hold_block()
        is_layout = (attributes.get("role") or "").lower() in ("presentation", "none")
        self.tables.append(_Table(is_layout, len(self.lists)))

    def _start_cell(self) -> None:
        if not self.tables:
            self.pieces.append(" ")
            return
        self.break_line()
        table = self.tables[-1]
        del self.lists[table.level_of_lists :]
        if not table.starts and not table.columns:
            self._close_gap()
        table.starts.append(len(self.lines))

    def _end_row(self) -> None:
        self.break_line()
        if not self.tables or not self.tables[-1].starts:
            return
        table = self.tables[-1]
        starts, table.starts = table.starts, []
        has_blocks, table.has_blocks = table.has_blocks, False
        columns, table.columns = table.columns, 0
        if len(starts) < 2 or has_blocks:
            return
        row = [self._cell(*ends) for ends in zip(starts, [*starts[1:], len(self.lines)], strict=True)]
        if None in row:
            return
        depth = self.lines[starts[0]][0] if starts[0] < len(self.lines) else self.depth
        del self.lines[starts[0] :]
        if line := _row(row, is_layout=table.is_layout, columns=columns):
            self.lines.append((depth, line))
            self.gap = None
            table.columns = len(row)

    def _cell(self, start: int, end: int) -> str | None:
        """The lines of a cell as one line; None if they are too many for a table."""
        if end - start > MOST_LINES_OF_CELL + 2:
            return None
        words = [words for _depth, words in self.lines[start:end]]
        while words and not words[-1]:
            words.pop()
        while words and not words[0]:
            words.pop(0)
        text = " ".join(words)
        is_short = all(words) and len(words) <= MOST_LINES_OF_CELL and len(text) <= MOST_CHARACTERS_OF_CELL
        return text if is_short else None

    def _end_table(self) -> None:
        if not self.tables:
            return
        self._end_row()
        del self.lists[self.tables.pop().level_of_lists :]


def _row(cells: list[str], *, is_layout: bool, columns: int) -> str:
    """The cells separated by "|", with empty ones, so that the columns match the headings."""
    filled = [cell for cell in cells if cell]
    if is_layout or (len(filled) < 2 and columns != len(cells)):
        return " ".join(filled)
    last = max((number for number, cell in enumerate(cells) if cell), default=-1)
    return SPACE.sub(" ", " | ".join(cells[: last + 1])).strip()
