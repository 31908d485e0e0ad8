"""Size, type and name of an attachment; pure. The limits are those of ../shared/THREATS.md 2.3."""

from pathlib import PurePosixPath

from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _

MAX_FILES = 5
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_MESSAGE_BYTES = 20 * 1024 * 1024
MAX_FILES_A_DAY = 50
MAX_BYTES_A_DAY = 200 * 1024 * 1024
MAX_NAME = 120

ZIP = b"PK\x03\x04"
TEXT = "text/plain"
OOXML = "application/vnd.openxmlformats-officedocument"
ODF = "application/vnd.oasis.opendocument"

# Extension -> (type, the bytes a file of this type contains at an offset). No entry in the second part: text.
TYPES: dict[str, tuple[str, tuple[tuple[int, bytes], ...]]] = {
    "png": ("image/png", ((0, b"\x89PNG\r\n\x1a\n"),)),
    "jpg": ("image/jpeg", ((0, b"\xff\xd8\xff"),)),
    "jpeg": ("image/jpeg", ((0, b"\xff\xd8\xff"),)),
    "gif": ("image/gif", ((0, b"GIF8"),)),
    "webp": ("image/webp", ((0, b"RIFF"), (8, b"WEBP"))),
    "pdf": ("application/pdf", ((0, b"%PDF-"),)),
    "docx": (f"{OOXML}.wordprocessingml.document", ((0, ZIP),)),
    "xlsx": (f"{OOXML}.spreadsheetml.sheet", ((0, ZIP),)),
    "pptx": (f"{OOXML}.presentationml.presentation", ((0, ZIP),)),
    "odt": (f"{ODF}.text", ((0, ZIP), (30, b"mimetype" + f"{ODF}.text".encode()))),
    "ods": (f"{ODF}.spreadsheet", ((0, ZIP), (30, b"mimetype" + f"{ODF}.spreadsheet".encode()))),
    "txt": (TEXT, ()),
    "log": (TEXT, ()),
    "csv": ("text/csv", ()),
    "eml": ("message/rfc822", ()),
}
# The folder that each kind of Office file holds; a plain .zip holds none of them.
OOXML_FOLDERS = {"docx": b"word/", "xlsx": b"xl/", "pptx": b"ppt/"}
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Only marks that no text begins with: a table may well start with "PK,name". Programs hold a NUL anyway.
NOT_TEXT = (b"\x7fELF", ZIP, b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"Rar!\x1a", b"\x1f\x8b")


def extension(name: str) -> str:
    return PurePosixPath(name).suffix.lower().lstrip(".")


def safe_name(name: str) -> str:
    """The name of a file in downloads: one line, at most MAX_NAME characters, extension kept."""
    name = "".join(" " if not character.isprintable() else character for character in name)
    name = name.replace("/", "_").replace("\\", "_").strip(" .") or get_valid_filename("file")
    suffix = PurePosixPath(name).suffix
    return name[: MAX_NAME - len(suffix)].rstrip() + suffix if len(name) > MAX_NAME else name


def content_type(name: str, content: bytes) -> str:
    """The type of a file, from its name and its bytes. The file is never opened, only looked at.

    Raises ValidationError where the type is not accepted or the bytes are not of the type.
    """
    suffix = extension(name)
    if suffix not in TYPES:
        raise ValidationError(
            _("Files of type %(type)s are not accepted."),
            code="type",
            params={"type": f".{suffix}" if suffix else _("unknown")},
        )
    media_type, marks = TYPES[suffix]
    matches = all(content[offset : offset + len(mark)] == mark for offset, mark in marks)
    if suffix in OOXML_FOLDERS:
        matches = matches and b"[Content_Types].xml" in content and OOXML_FOLDERS[suffix] in content
    if not marks:
        is_utf16 = content.startswith(UTF16_MARKS)
        matches = not content.startswith(NOT_TEXT) and (is_utf16 or b"\0" not in content[:8192])
    if not matches:
        raise ValidationError(
            _("The content does not match .%(type)s."), code="content", params={"type": suffix}
        )
    return media_type


def validate_size(name: str, size: int) -> None:
    if size == 0:
        raise ValidationError(_("The submitted file is empty."), code="empty")
    if size > MAX_FILE_BYTES:
        raise ValidationError(
            _("%(name)s is larger than %(limit)s."),
            code="size",
            params={"name": name, "limit": filesizeformat(MAX_FILE_BYTES)},
        )


def validate_together(sizes: list[int]) -> None:
    """The limits that hold for all files of one message."""
    if len(sizes) > MAX_FILES:
        raise ValidationError(_("Please attach at most %(limit)d files."), params={"limit": MAX_FILES})
    if sum(sizes) > MAX_MESSAGE_BYTES:
        raise ValidationError(
            _("Together the files are larger than %(limit)s."),
            params={"limit": filesizeformat(MAX_MESSAGE_BYTES)},
        )
