"""Validators for one-line text, which also occurs in email headers, for email addresses and numbers. Pure."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

# Invisible characters that strip() keeps: zero-width space, word joiner, byte order mark ... The zero-width
# joiner of emoji (U+200D) is allowed inside text.
INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}
# Characters that no line of text needs and that make it look like another. Bidirectional embeddings,
# overrides and isolates reorder the text beside them (UAX 9, 2). Others are invisible: soft hyphen,
# zero-width space, fillers. Direction marks, joiners and emoji tags are kept: words and flags need them.
HIDDEN = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u00ad\u034f\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb]"
)
LONGEST_NUMBER = 18  # digits; every such number fits into a bigint


def is_blank(value: str) -> bool:
    """Whether the text has no visible character."""
    return all(unicodedata.category(character) in INVISIBLE for character in value)


def without_hidden(value: str) -> str:
    """`value` without the characters of HIDDEN."""
    return value if value.isascii() else HIDDEN.sub("", value)


def validate_single_line(value: str) -> None:
    """Rejects line breaks and other control characters, which could forge email headers (RFC 5322, 2.2)."""
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in value):
        raise ValidationError(_("Line breaks are not allowed here."), code="line_break")


def validate_visible(value: str) -> None:
    """Rejects text without a visible character."""
    if is_blank(value):
        raise ValidationError(_("Fill in this field."), code="required")


ADDRESS_MESSAGE = _("Enter an email address like name@example.com.")
_is_address = EmailValidator(message=ADDRESS_MESSAGE, allowlist=[])
# For the browser: refuses only what validate_address() refuses too.
ADDRESS_PATTERN = r"[^@\s,;<>\u0022\[\]]+@[^@\s,;<>\u0022\[\]]+\.[^@\s,;<>\u0022\[\]]+"


def validate_address(value: str) -> None:
    """Rejects everything but one deliverable email address: localhost, an IP literal, a list."""
    _is_address(value)
    if "[" in value or any(character in value for character in ',;<>" '):
        raise ValidationError(_is_address.message, code="invalid")


def is_number(text: str) -> bool:
    """Whether `text` can be a primary key."""
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def number_or_none(text: str) -> int | None:
    """Reads a primary key that was sent; None for anything else."""
    return int(text) if is_number(text) else None
