"""Rules for text that is shown on one line, in mail headers too, for mail addresses and for numbers; pure."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

# Invisible characters that Django's own strip() leaves: zero width space, word joiner, byte order mark ...
# Emoji joiners (U+200D) stay allowed inside text.
INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}
# What no line of text needs, and what makes it look like another. The embeddings, overrides and isolates turn
# around what stands beside them (UAX 9, 2), the others take no place: soft hyphen, zero width space, fillers.
# Marks of direction, joiners and the tags of emoji stay: words, names and flags are written with them.
HIDDEN = re.compile(
    "[\u202a-\u202e\u2066-\u2069\u00ad\u034f\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb]"
)
LONGEST_NUMBER = 18  # digits; every number of so many fits into a database


def is_blank(value: str) -> bool:
    """Whether a reader sees nothing at all."""
    return all(unicodedata.category(character) in INVISIBLE for character in value)


def without_hidden(value: str) -> str:
    """`value` without the characters of HIDDEN."""
    return value if value.isascii() else HIDDEN.sub("", value)


def validate_single_line(value: str) -> None:
    """Refuses line breaks and other control characters, which could forge mail headers (RFC 5322, 2.2)."""
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in value):
        raise ValidationError(_("Line breaks are not allowed here."), code="line_break")


def validate_visible(value: str) -> None:
    """Refuses text that is there but shows nothing."""
    if is_blank(value):
        raise ValidationError(_("This field is required."), code="required")


_is_address = EmailValidator(message=_("Please give a mail address like name@example.com."), allowlist=[])


def validate_address(value: str) -> None:
    """Refuses what is not one mail address that mail can reach: localhost, an IP literal, a list."""
    _is_address(value)
    if "[" in value or any(character in value for character in ',;<>" '):
        raise ValidationError(_is_address.message, code="invalid")


def is_number(text: str) -> bool:
    """Whether `text` may be the primary key of a row."""
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER
