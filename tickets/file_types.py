"""Which files are taken, told by their names and by their bytes. Pure: files are looked at, never opened."""

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
# Only marks that no text begins with: a table may well start with "PK,name". Programs hold a NUL anyway.
NOT_TEXT = (*PROGRAMS[1:], ZIP, OLE, b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"Rar!\x1a", b"\x1f\x8b")
BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # their sizes in bytes
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif"}
MOV_ATOMS = {b"moov", b"mdat", b"free", b"wide", b"skip", b"pnot"}
PCAP = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)


def begins(*marks: bytes) -> Test:
    return lambda content: content.startswith(marks)


def is_text(content: bytes) -> bool:
    return not content.startswith(NOT_TEXT) and (
        content.startswith(UTF16_MARKS) or b"\0" not in content[:8192]
    )


def is_no_program(content: bytes) -> bool:
    return is_text(content) or not content.startswith(PROGRAMS)


def _is_riff(kind: bytes) -> Test:
    return lambda content: content.startswith(b"RIFF") and content[8:12] == kind


def _is_bmp(content: bytes) -> bool:
    header = int.from_bytes(content[14:18], "little")
    return content.startswith(b"BM") and content[6:10] == b"\0\0\0\0" and header in BMP_HEADERS


def _brand(content: bytes) -> bytes:
    """What an ISO base media file (MP4, HEIF ...) calls itself; empty for any other."""
    return content[8:12] if content[4:8] == b"ftyp" else b""


def _is_mov(content: bytes) -> bool:
    return _brand(content) == b"qt  " or content[4:8] in MOV_ATOMS


def _is_media(content: bytes) -> bool:
    return _is_mov(content) or (bool(_brand(content)) and _brand(content) not in HEIF_BRANDS)


def _is_mp3(content: bytes) -> bool:
    """An ID3 tag, or a frame's sync and MPEG layer III."""
    is_frame = content[:1] == b"\xff" and len(content) > 1 and content[1] & 0xE6 == 0xE2
    return content.startswith(b"ID3") or is_frame


def _is_office(folder: bytes) -> Test:
    """Office Open XML; a plain .zip holds none of these."""
    return lambda content: content.startswith(ZIP) and b"[Content_Types].xml" in content and folder in content


def _is_open_document(kind: str) -> Test:
    mark = b"mimetype" + f"{ODF}.{kind}".encode()
    return lambda content: content.startswith(ZIP) and content[30 : 30 + len(mark)] == mark


def _is_ole(*streams: str) -> Test:
    """The compound files of old Office and of Outlook, told apart by a stream that they hold."""
    marks = tuple(stream.encode("utf-16-le") for stream in streams)
    return lambda content: content.startswith(OLE) and any(mark in content for mark in marks)


def _or_text(test: Test) -> Test:
    """Many programs write HTML or plain text under these names."""
    return lambda content: test(content) or is_text(content)


@dataclass(frozen=True)
class FileType:
    """`fits` says whether bytes are of this type. `is_certain`: no other file looks like it."""

    media_type: str
    fits: Test
    is_certain: bool = True


def _texts(*extensions: str, media_type: str = TEXT) -> dict[str, FileType]:
    return dict.fromkeys(extensions, FileType(media_type, is_text, is_certain=False))


# By extension. Where several fit, the first one names the file.
TYPES: dict[str, FileType] = {
    "png": FileType("image/png", begins(b"\x89PNG\r\n\x1a\n")),
    "jpg": FileType("image/jpeg", begins(b"\xff\xd8\xff")),
    "jpeg": FileType("image/jpeg", begins(b"\xff\xd8\xff")),
    "gif": FileType("image/gif", begins(b"GIF8")),
    "webp": FileType("image/webp", _is_riff(b"WEBP")),
    "heic": FileType("image/heic", lambda content: _brand(content) in HEIF_BRANDS),
    "heif": FileType("image/heif", lambda content: _brand(content) in HEIF_BRANDS),
    "bmp": FileType("image/bmp", _is_bmp),
    "tiff": FileType("image/tiff", begins(b"II*\0", b"MM\0*")),
    "tif": FileType("image/tiff", begins(b"II*\0", b"MM\0*")),
    "pdf": FileType("application/pdf", begins(b"%PDF-")),
    "docx": FileType(f"{OOXML}.wordprocessingml.document", _is_office(b"word/")),
    "docm": FileType("application/vnd.ms-word.document.macroEnabled.12", _is_office(b"word/")),
    "xlsx": FileType(f"{OOXML}.spreadsheetml.sheet", _is_office(b"xl/")),
    "xlsm": FileType("application/vnd.ms-excel.sheet.macroEnabled.12", _is_office(b"xl/")),
    "pptx": FileType(f"{OOXML}.presentationml.presentation", _is_office(b"ppt/")),
    "odt": FileType(f"{ODF}.text", _is_open_document("text")),
    "ods": FileType(f"{ODF}.spreadsheet", _is_open_document("spreadsheet")),
    "odp": FileType(f"{ODF}.presentation", _is_open_document("presentation")),
    "msg": FileType("application/vnd.ms-outlook", _is_ole("__properties_version1.0", "__substg1.0_")),
    "doc": FileType("application/msword", _or_text(_is_ole("WordDocument")), is_certain=False),
    "xls": FileType("application/vnd.ms-excel", _or_text(_is_ole("Workbook", "Book")), is_certain=False),
    "ppt": FileType("application/vnd.ms-powerpoint", _is_ole("PowerPoint Document")),
    "rtf": FileType("application/rtf", begins(rb"{\rtf")),
    "zip": FileType("application/zip", begins(ZIP, b"PK\x05\x06")),
    "7z": FileType("application/x-7z-compressed", begins(b"7z\xbc\xaf\x27\x1c")),
    "gz": FileType("application/gzip", begins(b"\x1f\x8b\x08")),
    "m4a": FileType("audio/mp4", lambda content: _brand(content) in (b"M4A ", b"M4B ")),
    "mov": FileType("video/quicktime", _is_mov),
    "mp4": FileType("video/mp4", _is_media),
    "webm": FileType("video/webm", begins(b"\x1a\x45\xdf\xa3")),
    "mp3": FileType("audio/mpeg", _is_mp3),
    "wav": FileType("audio/wav", _is_riff(b"WAVE")),
    "evtx": FileType(BINARY, begins(b"ElfFile\0")),
    "pcap": FileType("application/vnd.tcpdump.pcap", begins(*PCAP)),
    "dmp": FileType(BINARY, begins(b"MDMP", b"PAGEDUMP", b"PAGEDU64")),
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
ADDED = FileType(BINARY, is_no_program, is_certain=False)  # by ATTACHMENT_TYPES, and unknown here
# What runs when it is opened is never taken, whatever ATTACHMENT_TYPES says.
EXECUTABLES = frozenset({
    "app", "appx", "apk", "bash", "bat", "class", "cmd", "com", "cpl", "deb", "dll", "dmg", "drv", "exe",
    "fish", "gadget", "hta", "img", "inf", "iso", "jar", "js", "jse", "ksh", "lnk", "mjs", "msc", "msi",
    "msix", "msp", "ocx", "pif", "pkg", "pl", "psd1", "psm1", "ps1", "py", "pyc", "rb", "reg", "rpm",
    "scf", "scr", "sh", "sys", "url", "vb", "vbe", "vbs", "vhd", "vhdx", "ws", "wsc", "wsf", "wsh", "xbap",
    "zsh",
})  # fmt: skip


def chosen(words: Iterable[str]) -> tuple[str, ...]:
    """The extensions that are taken: those named, or all of TYPES changed by +dwg and -zip.

    Raises ImproperlyConfigured.
    """
    words = [word.lower() for word in words]
    changes = [word for word in words if word.startswith(("+", "-"))]
    named = [word.lstrip("+-").lstrip(".") for word in words]
    if changes and len(changes) < len(words):
        raise ImproperlyConfigured("ATTACHMENT_TYPES must be a list like png,pdf, or changes like +dwg,-zip.")
    for word, name in zip(words, named, strict=True):
        if not name.isalnum() or len(name) > 10:
            raise ImproperlyConfigured(f"ATTACHMENT_TYPES must name extensions like pdf, not {word!r}.")
        if name in EXECUTABLES and not word.startswith("-"):
            raise ImproperlyConfigured(f"ATTACHMENT_TYPES can't name {name}: it runs when it is opened.")
    if not changes:
        return tuple(dict.fromkeys(named)) or tuple(TYPES)
    removed = {name for word, name in zip(words, named, strict=True) if word.startswith("-")}
    return tuple(name for name in dict.fromkeys([*TYPES, *named]) if name not in removed)


def extension(name: str) -> str:
    return PurePosixPath(name).suffix.lower().lstrip(".")


def identify(name: str, content: bytes) -> tuple[str, str]:
    """The name under which a file is kept, and its media type. `name` is a safe_name().

    A name whose extension is missing or wrong gets the one of its bytes: a PNG called .jpg becomes a .png.
    Raises ValidationError where the type is not accepted or nothing can be told from the bytes.
    """
    accepted, suffix = settings.ATTACHMENT_TYPES, extension(name)
    if suffix in EXECUTABLES:
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
    """identify() for a file that is accepted already, or was when it came."""
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
