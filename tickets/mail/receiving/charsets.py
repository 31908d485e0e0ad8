"""Decodes bytes with the charset names that occur in email. Pure and linear.

Knows the labels of browsers (WHATWG Encoding) and some that only occur in email. As browsers do, it decodes
with the superset that programs mean: windows-1252 for ISO-8859-1, GB 18030 for GB 2312.
"""

import codecs
import re

from webencodings.labels import LABELS

# Python's other codecs are not charsets of email, and some take quadratic time.
CHARSETS = ("utf", "iso8859", "iso2022", "cp", "koi8", "mac", "gb", "hz", "big5", "euc", "shift_jis", "tis")
SEVEN_BITS = ("utf-7", "iso2022", "hz")  # their bytes are valid UTF-8 too, but with wrong characters
LATIN = "cp1252"
# Codecs with a byte order mark, and the marks.
MARKED = {
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}
SAMPLE = 2_000  # bytes that are examined for the byte order if the mark is missing
CHINESE = "iso-2022-cn"  # Python has no codec for it
MAIL_ONLY = {
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "cp50222": "iso2022_jp",
    "cp65001": "utf-8",
    "iso-2022-jp-ms": "iso2022_jp",
    "iso-2022-cn-ext": CHINESE,
    "utf-16": "utf-16",  # with a byte order mark
    "windows-949": "cp949",
    "unicode-1-1-utf-7": "utf-7",
}
# Python's codec for a label, and the superset that is meant.
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
# The escape sequences of ISO 2022 for double bytes, half-width kana and ASCII.
SHIFTS = re.compile(rb"\x1b(\$[@B]|\(I|\([BJ])")


def letters(content: bytes, charset: str = "", *, is_all: bool = True) -> str:
    """Decodes and never fails: if the charset is unknown or wrong, tries UTF-8, then windows-1252.

    `is_all`: no more bytes follow. Otherwise the last character may be incomplete.
    """
    codec = codec_of(charset)
    if codec == CHINESE:
        content, codec = _as_hz(content), "hz"
    if codec == "iso2022_jp":
        return _japanese(content, is_all)
    if codec in MARKED:
        codec = _with_order(content, codec)
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
        # A gateway may have added a few invalid bytes to UTF-8. Windows-1252 is hardly ever valid UTF-8.
        if len(text) - len(text.encode("ascii", "ignore")) > 2 * bad:
            return text
        codec = LATIN
    return _decoded(content, codec, "replace", is_all)


def bare_letters(content: bytes, charset: str) -> str:
    """Decodes unencoded bytes of a header: as UTF-8 if valid, else with the `charset` of the text."""
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
    """Python's codec for a charset label of a message; windows-1252 for unknown labels."""
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


def _with_order(content: bytes, codec: str) -> str:
    """`codec` with a guessed byte order if the mark is missing: high bytes vary less than low bytes.

    In doubt big-endian (RFC 2781, 4.3).
    """
    if content.startswith(MARKED[codec]):
        return codec
    width = len(MARKED[codec][0])
    sample = content[:SAMPLE]
    is_little = len(set(sample[width - 1 :: width])) < len(set(sample[::width]))
    return f"{codec}-{'le' if is_little else 'be'}"


def _decoded(content: bytes, codec: str, errors: str, is_all: bool) -> str:
    return codecs.getincrementaldecoder(codec)(errors).decode(content, is_all)


def _as_hz(content: bytes) -> bytes:
    """Converts ISO-2022-CN to HZ, which has the same bytes between other shift sequences."""
    content = content.replace(b"~", b"~~").replace(b"\x1b$)A", b"").replace(b"\x1b$)G", b"")
    return content.replace(b"\x0e", b"~{").replace(b"\x0f", b"~}")


def _japanese(content: bytes, is_all: bool) -> str:
    """Decodes ISO-2022-JP. If that fails, with Windows' extra characters (circled numbers, kana, names)."""
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
    """Converts the double bytes of JIS X 0208 to Shift JIS."""
    result = bytearray()
    for row, cell in zip(pairs[::2], pairs[1::2], strict=False):
        lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
        trail = cell + (0x1F if cell < 0x60 else 0x20) if row % 2 else cell + 0x7E
        result += bytes((lead & 0xFF, trail & 0xFF))
    return bytes(result)
