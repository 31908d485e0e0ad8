"""Our addresses for incoming email: support@ for new tickets, support+<ticket>.<signature>@ for replies.

The signature is valid for one ticket and one person. A reply to the email of an internal note has another
signature, because it becomes an internal note too. Addresses are lower case, because email clients may change
the case.
"""

import re
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

MAILBOX = "support"
SALT = "tickets.inbound.addresses"
LENGTH = 20  # hexadecimal digits: 80 bits
TAGGED = re.compile(rf"{MAILBOX}\+(?P<ticket>[0-9]{{1,18}})(?:\.(?P<signature>[0-9a-z]*))?", re.ASCII)
SIGNED = re.compile(rf"\b{MAILBOX}\+[0-9]{{1,18}}\.[0-9a-f]{{{LENGTH}}}(?=@)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class ReplyAddress:
    ticket: int
    signature: str

    def is_signed_for(self, person: int, *, internal: bool = False) -> bool:
        return is_signature(self.signature, _signed_value(self.ticket, person, internal), salt=SALT)


def is_ours(address: str) -> bool:
    """Whether the address is in INBOUND_DOMAIN."""
    domain = settings.INBOUND_DOMAIN
    return bool(domain) and address.lower().rpartition("@")[2] == domain


def reply_address(ticket: int, person: int, *, internal: bool = False) -> str:
    """The address for a reply by `person` on a ticket. `internal`: the reply becomes an internal note."""
    signature = sign(_signed_value(ticket, person, internal), salt=SALT)
    return f"{MAILBOX}+{ticket}.{signature}@{settings.INBOUND_DOMAIN}"


def parse(address: str) -> ReplyAddress | None:
    """The ticket and the signature, which may be empty, of one of our addresses; None for other addresses."""
    match = TAGGED.fullmatch(local_part(address))
    return ReplyAddress(int(match["ticket"]), match["signature"] or "") if match else None


def local_part(address: str) -> str:
    """The lower-case local part of one of our addresses; "" for other addresses."""
    return address.lower().rpartition("@")[0] if is_ours(address) else ""


def masked(text: str) -> str:
    """`text` without signatures, because a quoted email may contain somebody's reply address."""
    return SIGNED.sub(MAILBOX, text)


def sign(value: str, *, salt: str, key: str | None = None) -> str:
    """A signature of `value` in LENGTH hexadecimal digits, with SECRET_KEY unless another key is given."""
    return salted_hmac(salt, value, secret=key, algorithm="sha256").hexdigest()[:LENGTH]


def is_signature(signature: str, value: str, *, salt: str) -> bool:
    """Whether sign() made this signature with SECRET_KEY or a key of SECRET_KEY_FALLBACKS."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(signature, sign(value, salt=salt, key=key)) for key in keys)


def _signed_value(ticket: int, person: int, internal: bool) -> str:
    return f"{ticket}.{person}.{'note' if internal else 'reply'}"
