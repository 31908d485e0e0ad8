"""What may never reach a mail provider, refused by ourselves: providers take more than is good."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.validators import validate_address

# Octets that a line of the header may have without the name of the header (RFC 5322, 2.1.1: 998 with it).
LONGEST_LINE = 998 - len("X-Auto-Response-Suppress: ")
FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}


class UnsafeMail(ValueError):
    """A mail that must not leave; the message says why."""


def check_header(text: str) -> str:
    """Returns `text`. Raises UnsafeMail for what could begin another header line (RFC 5322, 2.2) or is more
    than a line may hold: where it is folded is for others to choose.
    """
    if any(unicodedata.category(character) in FORBIDDEN for character in text):
        raise UnsafeMail(_("A line of the header holds a line break or another control character."))
    if len(text.encode()) > LONGEST_LINE:
        raise UnsafeMail(_("A line of the header is too long."))
    return text


def check_address(address: str) -> str:
    """Returns `address`. Raises UnsafeMail unless it is exactly one mail address with a domain."""
    check_header(address)
    try:
        validate_address(address)
    except ValidationError as error:
        raise UnsafeMail(_("“%(address)s” is not one mail address.") % {"address": address}) from error
    return address
