"""Bytes and HTML to plain text, whatever the sender's program made of them. Pure and linear."""

import re
import unicodedata

from justhtml import stream

from tickets.inbound.charsets import letters

# Controls of direction turn "gpj.exe" into "exe.jpg" on the screen.
DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NO_DIRECTIONS = dict.fromkeys(map(ord, DIRECTIONS))
# No letter has so many accents. To sort longer rows takes quadratic time, here and in search (UAX 15, 13).
ACCENTS = "".join(filter(unicodedata.combining, map(chr, range(0x20000))))
TOWER = re.compile(f"([{ACCENTS}]{{16}})[{ACCENTS}]+")
MOST_BYTES = 4  # of a character, in any charset
CONTROL = re.compile("[\x00-\x08\x0b\r-\x1f\x7f-\x9f\ufeff]")


class Allowance:
    """How many characters of a mail may still be read."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def read(self, content: bytes, charset: str) -> tuple[str, bool]:
        """The text as far as the allowance goes, and whether there is more of it."""
        start = content[: MOST_BYTES * self.left]
        is_all = len(start) == len(content)
        text = decode(start, charset, is_all=is_all)
        is_cut = not is_all or len(text) > self.left
        text = text[: self.left]
        self.left -= len(text)
        return text, is_cut


def decode(content: bytes, charset: str = "", *, is_all: bool = True) -> str:
    """The clean() letters of bytes; see charsets.letters()."""
    return clean(letters(content, charset, is_all=is_all))


def clean(text: str) -> str:
    """Without NULs, other controls, lone surrogates and towers of accents; lines end in one newline."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    text = CONTROL.sub("", text)
    if not text.isascii():
        text = TOWER.sub(r"\1", text)
    return text.encode("utf-8", "replace").decode()


def one_line(text: str, limit: int) -> str:
    text = " ".join(clean(text).translate(NO_DIRECTIONS).split())
    return unicodedata.normalize("NFC", text[: 4 * limit])[:limit].strip()


def unflow(text: str, *, deletes_space: bool) -> str:
    """Joins the lines that format=flowed broke softly (RFC 3676)."""
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


SILENT = {"script", "style", "title", "template"}
LINES = {"div", "tr", "li", "dt", "dd", "address", "section", "article", "header", "footer", "center", "hr"}
PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote"}
SPACE = re.compile(r"[ \t\r\n\f\xa0]+")


def from_html(html: str) -> str:
    """The words of HTML. Quotations become lines that begin with ">"; nothing is loaded or run."""
    writer = _Writer()
    for event, what in stream(html):
        if event == "start":
            writer.start(*what)
        elif event == "end":
            writer.end(what)
        elif event == "text":
            writer.write(what)
    writer.break_line()
    return clean("\n".join(writer.lines)).strip("\n")


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pieces: list[str] = []
        self.depth = 0  # of quotations
        self.is_silent = self.is_verbatim = False
        self.link, self.link_start = "", 0

    def start(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.is_silent = tag in SILENT
        self._break(tag, is_line="MsoNormal" in (attributes.get("class") or ""))
        if tag == "blockquote":
            self.depth = min(self.depth + 1, 20)
        elif tag == "br":
            self.break_line(is_forced=True)
        elif tag == "li":
            self.pieces.append("- ")
        elif tag in ("td", "th"):
            self.pieces.append(" ")
        elif tag == "pre":
            self.is_verbatim = True
        elif tag == "a":
            href = (attributes.get("href") or "").strip()
            self.link = href if href.lower().startswith(("http://", "https://")) else ""
            self.link_start = len(self.pieces)

    def end(self, tag: str) -> None:
        self.is_silent = False
        if tag == "a" and self.link:
            if self.link.rstrip("/") not in "".join(self.pieces[self.link_start :]):
                self.pieces.append(f" ({self.link})")
            self.link = ""
        self._break(tag)
        if tag == "blockquote":
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
            self.pieces.append(SPACE.sub(" ", text))

    def break_line(self, *, is_forced: bool = False) -> None:
        line = "".join(self.pieces)
        line = line.rstrip() if self.is_verbatim else SPACE.sub(" ", line).strip()
        if line or is_forced:
            self.lines.append(f"{'>' * self.depth} {line}".rstrip() if self.depth else line)
        elif self.pieces and self.lines and self.lines[-1]:
            # Outlook writes an empty line as a paragraph that holds one space.
            self.lines.append(">" * self.depth)
        self.pieces, self.link_start = [], 0

    def _break(self, tag: str, *, is_line: bool = False) -> None:
        if tag in LINES or tag in PARAGRAPHS:
            self.break_line()
            is_blank = not self.lines or not self.lines[-1].strip("> ")
            if tag in PARAGRAPHS and not is_line and not is_blank:
                self.lines.append(">" * self.depth)
