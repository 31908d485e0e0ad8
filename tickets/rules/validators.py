"""Limits for the sizes and names of attachments. Pure. The limits are those of ../shared/THREATS.md 2.3."""

import re
import unicodedata
from pathlib import PurePosixPath

from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

MAX_FILES = 5
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_MESSAGE_BYTES = 20 * 1024 * 1024
MAX_FILES_A_DAY = 50
MAX_BYTES_A_DAY = 200 * 1024 * 1024
MAX_NAME = 120
# Names that Windows reserves for devices, whatever their extension.
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)")


def size_in_words(size: int) -> str:
    """Like Django's filesizeformat, but "10 MB" instead of "10.0 MB"."""
    return re.sub(r"[.,]0(?=\s)", "", filesizeformat(size))


def safe_name(name: str) -> str:
    """Returns the name of a file for downloads: one visible line of at most MAX_NAME characters with its
    extension.
    """
    name = unicodedata.normalize("NFC", name.replace("/", "_").replace("\\", "_"))
    # Format characters can hide an extension (U+200B) or reverse the direction (U+202E).
    seen = (character for character in name if unicodedata.category(character) != "Cf")
    name = "".join(character if character.isprintable() else " " for character in seen)
    name = name.strip(" .") or "file"
    if RESERVED.match(name):
        name = f"_{name}"
    suffix = PurePosixPath(name).suffix
    return name[: MAX_NAME - len(suffix)].rstrip() + suffix if len(name) > MAX_NAME else name


def validate_size(name: str, size: int) -> None:
    if size == 0:
        raise ValidationError(_("The submitted file is empty."), code="empty")
    if size > MAX_FILE_BYTES:
        raise ValidationError(
            _("%(name)s is larger than %(limit)s."),
            code="size",
            params={"name": name, "limit": size_in_words(MAX_FILE_BYTES)},
        )


def validate_together(sizes: list[int]) -> None:
    """Checks the limits for all files of one message."""
    if len(sizes) > MAX_FILES:
        raise ValidationError(_("Attach at most %(limit)d files."), params={"limit": MAX_FILES})
    if sum(sizes) > MAX_MESSAGE_BYTES:
        raise ValidationError(
            _("Together the files are larger than %(limit)s."),
            params={"limit": size_in_words(MAX_MESSAGE_BYTES)},
        )
