"""Rejects unsafe headers and addresses before sending, because providers accept some of them."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.validators import validate_address

# The longest value of a header field in octets: RFC 5322, 2.1.1 allows 998 with the field name.
LONGEST_LINE = 998 - len("X-Auto-Response-Suppress: ")
FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}


class UnsafeMail(ValueError):
    """An email that must not be sent. The message gives the reason."""


def check_header(text: str) -> str:
    """Returns `text`. Raises UnsafeMail if it could start another header line (RFC 5322, 2.2) or is too long
    for one line, because other programs decide where to fold it.
    """
    if any(unicodedata.category(character) in FORBIDDEN for character in text):
        raise UnsafeMail(_("A header line contains a line break or another control character."))
    if len(text.encode()) > LONGEST_LINE:
        raise UnsafeMail(_("A header line is too long."))
    return text


def check_address(address: str) -> str:
    """Returns `address`. Raises UnsafeMail unless it is exactly one email address with a domain."""
    check_header(address)
    try:
        validate_address(address)
    except ValidationError as error:
        raise UnsafeMail(_("“%(address)s” is not one email address.") % {"address": address}) from error
    return address
