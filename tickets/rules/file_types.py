"""Which files are accepted, decided by name and bytes. Pure: looks at files but never opens them.

static/js/attachments.js reads the same tables before an upload starts.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.utils.translation import gettext as _

Test = Callable[[bytes], bool]
OOXML = "application/vnd.openxmlformats-officedocument"
ODF = "application/vnd.oasis.opendocument"
BINARY = "application/octet-stream"
TEXT = "text/plain"

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
)
# Only signatures that cannot begin a text: a table may well start with "PK,name". Programs contain a NUL
# anyway.
NOT_TEXT = (*PROGRAMS[1:], ZIP, OLE, b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"Rar!\x1a", b"\x1f\x8b")
BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # their sizes in bytes
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif"}
MEDIA = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"pnot")
# An ID3 tag, or a frame's sync and MPEG layer III in each version, with and without a checksum.
FRAMES = (0xE2, 0xE3, 0xEA, 0xEB, 0xF2, 0xF3, 0xFA, 0xFB)
MP3 = (b"ID3\2", b"ID3\3", b"ID3\4", *(bytes([0xFF, second]) for second in FRAMES))
ENDING = re.compile(r"(?=[0-9]*[a-z])[a-z0-9]+")
PCAP = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)


@dataclass(frozen=True)
class Marked:
    """Has one of the signatures `marks` at `offset` and meets `rest`. Browsers look at the signature only."""

    marks: tuple[bytes, ...]
    offset: int = 0
    rest: Test | None = None

    def __call__(self, content: bytes) -> bool:
        return content.startswith(self.marks, self.offset) and (self.rest is None or self.rest(content))


def begins(*marks: bytes, rest: Test | None = None) -> Marked:
    return Marked(marks, rest=rest)


def is_text(content: bytes) -> bool:
    return not content.startswith(NOT_TEXT) and (
        content.startswith(UTF16_MARKS) or b"\0" not in content[:8192]
    )


def is_no_program(content: bytes) -> bool:
    return is_text(content) or not content.startswith(PROGRAMS)


def _riff(kind: bytes) -> Marked:
    return begins(b"RIFF", rest=lambda content: content[8:12] == kind)


def _says_bmp(content: bytes) -> bool:
    header = int.from_bytes(content[14:18], "little")
    return content[6:10] == b"\0\0\0\0" and header in BMP_HEADERS


def _brand(content: bytes) -> bytes:
    """Returns the brand of an ISO base media file (MP4, HEIF ...); empty for any other file."""
    return content[8:12] if content[4:8] == b"ftyp" else b""


def _branded(test: Test) -> Marked:
    return Marked((b"ftyp",), offset=4, rest=lambda content: test(_brand(content)))


def _says_mov(content: bytes) -> bool:
    """Older QuickTime files have no brand. A text may begin with "The wide" too."""
    return _brand(content) == b"qt  " or not (_brand(content) or is_text(content))


def _says_media(content: bytes) -> bool:
    return _says_mov(content) or (bool(_brand(content)) and _brand(content) not in HEIF_BRANDS)


def _office(folder: bytes) -> Marked:
    """Office Open XML. A plain .zip has none of these entries."""
    return begins(ZIP, rest=lambda content: b"[Content_Types].xml" in content and folder in content)


def _open_document(kind: str) -> Marked:
    mark = b"mimetype" + f"{ODF}.{kind}".encode()
    return begins(ZIP, rest=lambda content: content[30 : 30 + len(mark)] == mark)


def _ole(*streams: str) -> Marked:
    """Compound files of old Office and of Outlook, distinguished by a stream in them."""
    marks = tuple(stream.encode("utf-16-le") for stream in streams)
    return begins(OLE, rest=lambda content: any(mark in content for mark in marks))


def _or_text(test: Test) -> Test:
    """Accepts text too, because many programs write HTML or plain text with these extensions."""
    return lambda content: test(content) or is_text(content)


@dataclass(frozen=True)
class FileType:
    """`fits` tells whether bytes are of this type. `is_certain`: no other file looks like it; it is
    Marked.
    """

    media_type: str
    fits: Test
    is_certain: bool = True


def _texts(*extensions: str, media_type: str = TEXT) -> dict[str, FileType]:
    return dict.fromkeys(extensions, FileType(media_type, is_text, is_certain=False))


# By extension. If several fit, the first one names the file.
TYPES: dict[str, FileType] = {
    "png": FileType("image/png", begins(b"\x89PNG\r\n\x1a\n")),
    "jpg": FileType("image/jpeg", begins(b"\xff\xd8\xff")),
    "jpeg": FileType("image/jpeg", begins(b"\xff\xd8\xff")),
    "gif": FileType("image/gif", begins(b"GIF8")),
    "webp": FileType("image/webp", _riff(b"WEBP")),
    "heic": FileType("image/heic", _branded(HEIF_BRANDS.__contains__)),
    "heif": FileType("image/heif", _branded(HEIF_BRANDS.__contains__)),
    "bmp": FileType("image/bmp", begins(b"BM", rest=_says_bmp)),
    "tiff": FileType("image/tiff", begins(b"II*\0", b"MM\0*")),
    "tif": FileType("image/tiff", begins(b"II*\0", b"MM\0*")),
    "pdf": FileType("application/pdf", begins(b"%PDF-")),
    "docx": FileType(f"{OOXML}.wordprocessingml.document", _office(b"word/")),
    "docm": FileType("application/vnd.ms-word.document.macroEnabled.12", _office(b"word/")),
    "xlsx": FileType(f"{OOXML}.spreadsheetml.sheet", _office(b"xl/")),
    "xlsm": FileType("application/vnd.ms-excel.sheet.macroEnabled.12", _office(b"xl/")),
    "pptx": FileType(f"{OOXML}.presentationml.presentation", _office(b"ppt/")),
    "odt": FileType(f"{ODF}.text", _open_document("text")),
    "ods": FileType(f"{ODF}.spreadsheet", _open_document("spreadsheet")),
    "odp": FileType(f"{ODF}.presentation", _open_document("presentation")),
    "msg": FileType("application/vnd.ms-outlook", _ole("__properties_version1.0", "__substg1.0_")),
    "doc": FileType("application/msword", _or_text(_ole("WordDocument")), is_certain=False),
    "xls": FileType("application/vnd.ms-excel", _or_text(_ole("Workbook", "Book")), is_certain=False),
    "ppt": FileType("application/vnd.ms-powerpoint", _ole("PowerPoint Document")),
    "rtf": FileType("application/rtf", begins(rb"{\rtf")),
    "zip": FileType("application/zip", begins(ZIP, b"PK\x05\x06")),
    "7z": FileType("application/x-7z-compressed", begins(b"7z\xbc\xaf\x27\x1c")),
    "gz": FileType("application/gzip", begins(b"\x1f\x8b\x08")),
    "m4a": FileType("audio/mp4", _branded((b"M4A ", b"M4B ").__contains__)),
    "mov": FileType("video/quicktime", Marked(MEDIA, offset=4, rest=_says_mov)),
    "mp4": FileType("video/mp4", Marked(MEDIA, offset=4, rest=_says_media)),
    "webm": FileType("video/webm", begins(b"\x1a\x45\xdf\xa3")),
    "mp3": FileType("audio/mpeg", begins(*MP3)),
    "wav": FileType("audio/wav", _riff(b"WAVE")),
    "evtx": FileType(BINARY, begins(b"ElfFile\0")),
    "pcap": FileType("application/vnd.tcpdump.pcap", begins(*PCAP)),
    "dmp": FileType(BINARY, begins(b"MDMP\x93\xa7", b"PAGEDUMP", b"PAGEDU64")),
    "dat": FileType("application/ms-tnef", begins(b"\x78\x9f\x3e\x22")),  # Outlook's winmail.dat
    "etl": FileType(BINARY, is_no_program, is_certain=False),
    "p7m": FileType("application/pkcs7-mime", is_no_program, is_certain=False),
    **_texts("txt", "log", "md", "conf", "ini", "yaml", "yml", "json", "asc"),
    **_texts("csv", media_type="text/csv"),
    **_texts("html", "htm", media_type="text/html"),
    **_texts("xml", media_type="application/xml"),
    **_texts("ics", media_type="text/calendar"),
    **_texts("vcf", media_type="text/vcard"),
    **_texts("eml", media_type="message/rfc822"),
}
ADDED = FileType(BINARY, is_no_program, is_certain=False)  # unknown types of ATTACHMENT_TYPES
# Files that run when they are opened are always refused, whatever ATTACHMENT_TYPES says.
EXECUTABLES = frozenset({
    "ade", "adp", "apk", "app", "appimage", "application", "appx", "bash", "bat", "chm", "class", "cmd",
    "com", "cpl", "csh", "deb", "diagcab", "dll", "dmg", "drv", "exe", "fish", "gadget", "hta", "img",
    "inf", "iso", "jar", "jnlp", "js", "jse", "ksh", "lnk", "mjs", "msc", "msi", "msix", "msp", "mst",
    "msu", "ocx", "pif", "pkg", "pl", "ps1", "ps1xml", "ps2", "psc1", "psd1", "psm1", "py", "pyc", "pyo",
    "pyw", "pyz", "rb", "reg", "rpm", "scf", "scr", "sct", "sh", "shb", "shs", "sys", "url", "vb", "vbe",
    "vbs", "vhd", "vhdx", "wim", "ws", "wsc", "wsf", "wsh", "xbap", "xll", "zsh",
})  # fmt: skip


SPELLINGS = {"jpg": "jpeg", "tif": "tiff", "yml": "yaml", "htm": "html", "heif": "heic"}
SPELLINGS |= {second: first for first, second in SPELLINGS.items()}


def chosen(words: Iterable[str]) -> tuple[str, ...]:
    """Returns the accepted extensions: those listed, or all of TYPES changed by entries like +dwg and -zip.

    Raises ImproperlyConfigured.
    """
    words = [spelling for word in words for spelling in _spellings(word.lower())]
    changes = [word for word in words if word.startswith(("+", "-"))]
    named = [word.lstrip("+-").lstrip(".") for word in words]
    if changes and len(changes) < len(words):
        raise ImproperlyConfigured("ATTACHMENT_TYPES must be a list like png,pdf, or changes like +dwg,-zip.")
    for word, name in zip(words, named, strict=True):
        if not ENDING.fullmatch(name) or len(name) > 10:
            raise ImproperlyConfigured(f"ATTACHMENT_TYPES must name extensions like pdf, not {word!r}.")
        if name in EXECUTABLES and not word.startswith("-"):
            raise ImproperlyConfigured(f"ATTACHMENT_TYPES can't name {name}: it runs when it is opened.")
    if not changes:
        return tuple(dict.fromkeys(named)) or tuple(TYPES)
    removed = {name for word, name in zip(words, named, strict=True) if word.startswith("-")}
    return tuple(name for name in dict.fromkeys([*TYPES, *named]) if name not in removed)


def _spellings(word: str) -> list[str]:
    """Returns an extension of the setting, and the other spelling of its type."""
    found = SPELLINGS.get(word.lstrip("+-."))
    return [word, f"{word[: len(word) - len(word.lstrip('+-'))]}{found}"] if found else [word]


def extension(name: str) -> str:
    """Returns the extension without its dot; empty for a name like "Screenshot 2026.11"."""
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    return suffix if ENDING.fullmatch(suffix) else ""


def marks(accepted: Iterable[str]) -> list[str]:
    """Returns the signatures of accepted files, like "4:66747970", for the browser to check files without a
    known extension.
    """
    fits = [TYPES[one].fits for one in accepted if one in TYPES and TYPES[one].is_certain]
    found = {f"{test.offset}:{mark.hex()}": None for test in fits for mark in test.marks}
    return list(found)


def refused(accepted: Iterable[str]) -> frozenset[str]:
    """Returns the extensions that are refused whatever the bytes are: programs, and removed types."""
    return EXECUTABLES | TYPES.keys() - set(accepted)


def identify(name: str, content: bytes) -> tuple[str, str]:
    """Returns the name under which a file is stored, and its media type. `name` is a safe_name().

    A missing or wrong extension is replaced by that of the bytes: a PNG called .jpg becomes .png. Raises
    ValidationError if the type is not accepted or cannot be recognized.
    """
    accepted, suffix = settings.ATTACHMENT_TYPES, extension(name)
    if suffix in refused(accepted):
        raise _not_accepted(suffix)
    if suffix in accepted and TYPES.get(suffix, ADDED).fits(content):
        return name, TYPES.get(suffix, ADDED).media_type
    found = next((one for one, kind in TYPES.items() if kind.is_certain and kind.fits(content)), None)
    if found is None and not suffix and is_text(content):
        found = "txt"
    if found in accepted:
        stem = name.removesuffix(PurePosixPath(name).suffix) if suffix in TYPES else name
        return f"{stem}.{found}", TYPES[found].media_type
    if suffix in accepted:
        raise ValidationError(
            _("The content does not match .%(type)s."), code="content", params={"type": suffix}
        )
    raise _not_accepted(suffix)


def described(name: str, content: bytes) -> tuple[str, str]:
    """identify() for a file that was accepted before."""
    try:
        return identify(name, content)
    except ValidationError:
        return name, BINARY


def _not_accepted(suffix: str) -> ValidationError:
    return ValidationError(
        _("Files of type %(type)s are not accepted."),
        code="type",
        params={"type": f".{suffix}" if suffix else _("unknown")},
    )
