"""Converts Outlook's rich text to plain text, or to the HTML that it encapsulates. Pure and linear.

Compression: MS-OXRTFCP. Encapsulated HTML: MS-OXRTFEX. Ignores fonts, colours and images.
"""

import re
import struct
from dataclasses import dataclass, replace

from tickets.mail.receiving.charsets import letters

COMPRESSED, BARE = b"LZFu", b"MELA"
# The initial content of the dictionary (MS-OXRTFCP 2.1.2.1).
DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans "
    rb"SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
WINDOW = 4096

TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,9})?\x20?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)"
)
LINK = re.compile(r'HYPERLINK\s{1,9}"([^"]{1,2000})"')
# Groups whose text is not part of the document.
HIDDEN = {
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "headerl", "headerr", "footer",
    "footerl", "footerr", "themedata", "listtable", "listoverridetable", "rsidtbl", "generator", "xmlnstbl",
    "mmathPr", "datastore", "latentstyles", "colorschememapping", "bkmkstart", "bkmkend", "mhtmltag",
    "nonshppict",
}  # fmt: skip
SIGNS = {
    "par": "\n", "line": "\n", "row": "\n", "sect": "\n", "page": "\n", "tab": "\t", "cell": " | ",
    "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "endash": "–",
    "emdash": "—", "~": "\xa0", "_": "-", "\n": "\n", "\r": "\n", "{": "{", "}": "}", "\\": "\\",
}  # fmt: skip
# Code pages by the charset of a font.
CODE_PAGES = {
    77: "macintosh", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "big5", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip


def decompressed(content: bytes, limit: int) -> bytes:
    """Decompresses PidTagRtfCompressed up to `limit` bytes; b"" if it is invalid."""
    if len(content) < 16:
        return b""
    _size, raw_size, kind, _checksum = struct.unpack_from("<II4sI", content)
    wanted = min(raw_size, limit)
    if kind == BARE:
        return content[16 : 16 + wanted]
    return _unpacked(content, wanted) if kind == COMPRESSED else b""


def _unpacked(content: bytes, wanted: int) -> bytes:
    # Positions refer to the output with the dictionary before it.
    result = bytearray(DICTIONARY)
    end = len(DICTIONARY) + wanted
    at = 16
    while at < len(content) and len(result) < end:
        control = content[at]
        at += 1
        for bit in range(8):
            if at >= len(content):
                break
            if not control >> bit & 1:
                result.append(content[at])
                at += 1
                continue
            if at + 1 >= len(content):
                return bytes(result[len(DICTIONARY) : end])
            pair = content[at] << 8 | content[at + 1]
            at += 2
            back = (len(result) - (pair >> 4)) % WINDOW
            if not back:  # a reference to itself marks the end
                return bytes(result[len(DICTIONARY) : end])
            _repeat(result, back, (pair & 15) + 2)
    return bytes(result[len(DICTIONARY) : end])


def _repeat(result: bytearray, back: int, length: int) -> None:
    """Repeats `length` bytes from `back` bytes before the end. They may overlap with the new bytes."""
    start = len(result) - back
    for number in range(length):
        # The window is zero before the first byte.
        result.append(result[start + number] if start + number >= 0 else 0)


def is_html(content: bytes) -> bool:
    return rb"\fromhtml" in content[:4000]


def text(content: bytes) -> str:
    """The text, or the HTML if is_html(). Never fails; "" if it is no rich text."""
    if not content.lstrip().startswith(rb"{\rtf"):
        return ""
    reader = _RtfReader(is_html(content))
    for match in TOKEN.finditer(content):
        reader.read(match)
    reader.close_bytes()
    # Characters above U+FFFF are surrogate pairs.
    return "".join(reader.pieces).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(frozen=True)
class _State:
    """The state that is restored at the end of a group."""

    is_hidden: bool = False
    is_tag: bool = False  # original HTML
    is_twin: bool = False  # rich text that replaces a tag for readers without HTML
    is_fonts: bool = False
    is_address: bool = False  # the URL of a link
    ends_link: bool = False
    font: int = -1
    skip: int = 1  # fallback characters after \u


class _RtfReader:
    def __init__(self, is_html: bool) -> None:
        self.is_html = is_html
        self.pieces: list[str] = []
        self.state, self.outer = _State(), []
        self.code_page, self.fonts = "cp1252", {}
        self.pending, self.pending_page = bytearray(), ""
        self.to_skip = 0
        self.begins_optional = False
        self.address: list[str] = []

    def read(self, match: re.Match[bytes]) -> None:
        word, value, code, sign, brace, plain = match.groups()
        if brace:
            self._brace(brace)
        elif word:
            self._word(word.decode(), int(value) if value else None)
        elif code:
            self._bytes(bytes([int(code, 16)]), is_one=True)
        elif sign == b"*":
            self.begins_optional = True
        elif sign:
            self._write(SIGNS.get(sign.decode("latin-1"), ""), is_one=True)
        elif plain:
            self._bytes(plain)

    def close_bytes(self) -> None:
        """Decodes pending bytes, which came one by one (for example of Chinese characters)."""
        if self.pending:
            self._put(letters(bytes(self.pending), self.pending_page))
            self.pending.clear()

    def _brace(self, brace: bytes) -> None:
        self.close_bytes()
        self.to_skip, self.begins_optional = 0, False
        if brace == b"{":
            self.outer.append(self.state)
            self.state = replace(self.state, ends_link=False) if self.state.ends_link else self.state
        elif self.outer:
            if self.state.ends_link:
                self._end_link()
            self.state = self.outer.pop()

    def _word(self, word: str, value: int | None) -> None:
        self.close_bytes()
        is_optional, self.begins_optional = self.begins_optional, False
        if word == "u" and value is not None:
            self._write(chr(value % 0x10000))
            self.to_skip = self.state.skip
        elif word in SIGNS:
            self._write(SIGNS[word], is_one=True)
        elif word == "bin":
            self.to_skip = max(value or 0, 0)
        elif word == "ansicpg" and value:
            self.code_page = f"cp{value}"
        elif not (self._format(word, value) or self._enter(word)) and (is_optional or word in HIDDEN):
            self.state = replace(self.state, is_hidden=True)

    def _format(self, word: str, value: int | None) -> bool:
        if word == "uc":
            self.state = replace(self.state, skip=max(min(value or 0, 10), 0))
        elif word == "f":
            self.state = replace(self.state, font=-1 if value is None else value)
        elif word == "fcharset" and self.state.is_fonts:
            self.fonts[self.state.font] = CODE_PAGES.get(value or 0, "")
        elif word == "plain":
            self.state = replace(self.state, font=-1)
        elif word == "htmlrtf":
            self.state = replace(self.state, is_twin=value != 0)
        else:
            return False
        return True

    def _enter(self, word: str) -> bool:
        """Starts a group with special text: a tag, fonts, or a link."""
        if word == "htmltag" and self.is_html:
            self.state = replace(self.state, is_tag=True)
        elif word == "fonttbl":
            self.state = replace(self.state, is_fonts=True, is_hidden=True)
        elif word == "fldinst" and not self.is_html:
            self.state = replace(self.state, is_address=True)
            self.address = []
        elif word == "fldrslt" and not self.is_html:
            self.state = replace(self.state, ends_link=True)
        else:
            return False
        return True

    def _bytes(self, content: bytes, *, is_one: bool = False) -> None:
        if self.to_skip:
            skipped = 1 if is_one else min(self.to_skip, len(content))
            self.to_skip -= skipped
            content = content[skipped:]
        page = self.fonts.get(self.state.font) or self.code_page
        if self.pending and page != self.pending_page:
            self.close_bytes()
        self.pending_page = page
        self.pending += content

    def _write(self, words: str, *, is_one: bool = False) -> None:
        self.close_bytes()
        if is_one and self.to_skip:
            self.to_skip -= 1
            return
        self._put(words)

    def _put(self, words: str) -> None:
        state = self.state
        if state.is_address:
            self.address.append(words)
        elif not state.is_hidden and (state.is_tag or not state.is_twin):
            self.pieces.append(words)

    def _end_link(self) -> None:
        found = LINK.search("".join(self.address)[:4000])
        self.address = []
        if found and found[1] not in "".join(self.pieces[-20:]):
            self._put(f" ({found[1]})")
