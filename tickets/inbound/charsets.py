"""Bytes to letters, by the names of charsets that the world's mail uses. Pure and linear.

The names are those of browsers (WHATWG, Encoding), and more that only mail knows. What they name is read with
the larger charset that programs mean by it: Windows' Latin for ISO-8859-1, GB 18030 for GB 2312.
"""

import codecs
import re

from webencodings.labels import LABELS

# Other codecs of Python's are no charsets of mail, and some take quadratic time.
CHARSETS = ("utf", "iso8859", "iso2022", "cp", "koi8", "mac", "gb", "hz", "big5", "euc", "shift_jis", "tis")
SEVEN_BITS = ("utf-7", "iso2022", "hz")  # so that their bytes are UTF-8 too, and senseless
LATIN = "cp1252"
CHINESE = "iso-2022-cn"  # Python knows it under no name
MAIL_ONLY = {
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "cp50222": "iso2022_jp",
    "cp65001": "utf-8",
    "iso-2022-jp-ms": "iso2022_jp",
    "iso-2022-cn-ext": CHINESE,
    "utf-16": "utf-16",  # which may begin with a mark of its order
    "windows-949": "cp949",
    "unicode-1-1-utf-7": "utf-7",
}
# What browsers and Python call it, and the larger one that is meant.
MEANT = {
    "iso8859-1": LATIN,
    "ascii": LATIN,
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "iso-8859-8-i": "iso8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "johab": "johab",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "x-mac-cyrillic": "mac-cyrillic",
    "macintosh": "mac-roman",
    "windows-874": "cp874",
}
UNREADABLE = ("replacement", "x-user-defined")
CODE_PAGE = re.compile(r"(?:x-)?(?:cp|win|windows|ms|ibm|microsoft-cp)[-_ ]?(\d{3,5})")
# The escapes of ISO 2022 that change to double bytes, to small kana, to Latin letters.
SHIFTS = re.compile(rb"\x1b(\$[@B]|\(I|\([BJ])")


def letters(content: bytes, charset: str = "", *, is_all: bool = True) -> str:
    """Never fails: an unknown or wrong charset gives UTF-8 where that fits, and Windows' Latin otherwise.

    `is_all`: whether no more bytes follow; else the last character may be cut in two.
    """
    codec = codec_of(charset)
    if codec == CHINESE:
        content, codec = _as_hz(content), "hz"
    if codec == "iso2022_jp":
        return _japanese(content, is_all)
    if codec.startswith(SEVEN_BITS):
        return _decoded(content, codec, "replace", is_all)
    for name in (codec, "utf-8") if codec != LATIN else ("utf-8",):
        try:
            return _decoded(content, name, "strict", is_all)
        except UnicodeError:
            continue
    if codec in ("utf-8", LATIN):
        text = _decoded(content, "utf-8", "replace", is_all)
        bad = text.count("\ufffd")
        # A few bytes that a gateway added spoil no text. Latin letters make no UTF-8 by chance.
        if len(text) - len(text.encode("ascii", "ignore")) > 2 * bad:
            return text
        codec = LATIN
    return _decoded(content, codec, "replace", is_all)


def bare_letters(content: bytes, charset: str) -> str:
    """The bytes of a header: UTF-8 where they are that, else in the `charset` of the mail's text."""
    codec = codec_of(charset)
    if codec.startswith("utf"):
        codec = LATIN
    if content.isascii() and not (b"\x1b" in content and codec.startswith("iso2022")):
        return content.decode()
    try:
        if b"\x1b" not in content:
            return content.decode()
    except UnicodeError:
        pass
    return letters(content, codec)


def codec_of(charset: str) -> str:
    """Python's codec for what a mail calls its charset; Windows' Latin where nobody knows it."""
    label = charset.strip(" \t\"'").lower().removeprefix("charset=").partition(";")[0].strip(" \t\"'")
    if page := CODE_PAGE.fullmatch(label):
        label = f"cp{page[1]}"
    for name in (label, label.removeprefix("x-")):
        if name in MAIL_ONLY:
            return MAIL_ONLY[name]
        if name == CHINESE:
            return CHINESE
        known = LABELS.get(name, "")
        try:
            codec = codecs.lookup(MEANT.get(known, known) if known and known not in UNREADABLE else name).name
        except (LookupError, ValueError):
            continue
        codec = MEANT.get(codec, codec)
        if codec.startswith(CHARSETS):
            return codec
    return LATIN


def _decoded(content: bytes, codec: str, errors: str, is_all: bool) -> str:
    return codecs.getincrementaldecoder(codec)(errors).decode(content, is_all)


def _as_hz(content: bytes) -> bytes:
    """Chinese of ISO 2022 in the spelling of HZ, which has the same bytes between other shifts."""
    content = content.replace(b"~", b"~~").replace(b"\x1b$)A", b"").replace(b"\x1b$)G", b"")
    return content.replace(b"\x0e", b"~{").replace(b"\x0f", b"~}")


def _japanese(content: bytes, is_all: bool) -> str:
    """ISO-2022-JP; where that fails, with the letters of Windows (round numbers, small kana, more names)."""
    try:
        return _decoded(content, "iso2022_jp", "strict", is_all)
    except UnicodeError:
        start, *pieces = SHIFTS.split(content)
    text = [start.decode("ascii", "replace")]
    for shift, piece in zip(pieces[::2], pieces[1::2], strict=True):
        if shift.startswith(b"$"):
            piece = _as_shift_jis(piece)
        elif shift == b"(I":
            piece = bytes(byte | 0x80 for byte in piece)
        text.append(_decoded(piece, "cp932", "replace", True))
    return "".join(text)


def _as_shift_jis(pairs: bytes) -> bytes:
    """The double bytes of JIS X 0208 as Shift JIS writes them."""
    result = bytearray()
    for row, cell in zip(pairs[::2], pairs[1::2], strict=False):
        lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
        trail = cell + (0x1F if cell < 0x60 else 0x20) if row % 2 else cell + 0x7E
        result += bytes((lead & 0xFF, trail & 0xFF))
    return bytes(result)
