"""Our addresses for incoming email: it@ for new tickets, it+<ticket>.<signature>@ for replies.

They are those of the mailboxes and, for the provider of the settings, support@INBOUND_DOMAIN. The signature
is valid for one ticket and one person, at every mailbox. A reply to the email of an internal note has another
signature, because it becomes an internal note too. Addresses are lower case, because email clients may change
the case.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from tickets.mail import mailboxes
from tickets.models import Mailbox

MAILBOX = "support"
SALT = "tickets.inbound.addresses"
LENGTH = 20  # hexadecimal digits: 80 bits
LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
TAGGED = re.compile(r"(?P<name>[^@]{1,64})\+(?P<ticket>[0-9]{1,18})(?:\.(?P<signature>[0-9a-z]*))?", re.ASCII)
SIGNED = re.compile(
    rf"(?P<name>[\w.!#$%&'*/=?^`{{|}}~-]{{0,64}})\+[0-9]{{1,18}}\.[0-9a-f]{{{LENGTH}}}(?=@)",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class ReplyAddress:
    ticket: int
    signature: str

    def is_signed_for(self, person: int, *, internal: bool = False) -> bool:
        return is_signature(self.signature, signed_value(self.ticket, person, internal), salt=SALT)


def is_ours(address: str) -> bool:
    """Whether the address is in INBOUND_DOMAIN, or belongs to a mailbox, with or without a +tag."""
    return bool(ours_among([address]))


def ours_among(addresses: Iterable[str]) -> set[str]:
    """Those of `addresses` for which is_ours() holds, in one query."""
    of_mailboxes = mailboxes.addresses()
    return {
        address
        for address in addresses
        if is_in_inbound_domain(address) or {address.lower(), without_tag(address)} & of_mailboxes
    }


def is_in_inbound_domain(address: str) -> bool:
    domain = settings.INBOUND_DOMAIN
    return bool(domain) and address.lower().rpartition("@")[2] == domain


def without_tag(address: str) -> str:
    """The address in lower case without its last +tag: it+42@ is delivered to it@."""
    local, _at, domain = address.lower().rpartition("@")
    name, plus, tag = local.rpartition("+")
    return f"{name if plus else tag}@{domain}"


def reply_address(ticket: int, person: int, *, internal: bool = False, at: str = "") -> str:
    """The address for a reply by `person` on a ticket. `internal`: the reply becomes an internal note.

    `at` is the address of a mailbox; "" stands for the provider of the settings.
    """
    signature = sign(signed_value(ticket, person, internal), salt=SALT)
    name, _at, domain = (at or f"{MAILBOX}@{settings.INBOUND_DOMAIN}").rpartition("@")
    return f"{name}+{ticket}.{signature}@{domain}"


def reply_to(mailbox: Mailbox | None, ticket: int, person: int, *, internal: bool) -> str:
    """The Reply-To of an email that `mailbox` sends: signed, unless its server delivers no plus addresses.

    "" if replies reach nobody: without a mailbox that receives, and without INBOUND_DOMAIN.
    """
    if mailbox is None or not mailbox.receives:
        return reply_address(ticket, person, internal=internal) if settings.INBOUND_DOMAIN else ""
    signed = reply_address(ticket, person, internal=internal, at=mailbox.address)
    is_deliverable = mailbox.plus and len(signed.rpartition("@")[0]) <= LONGEST_LOCAL_PART
    return signed if is_deliverable else mailbox.address


def parse(address: str) -> ReplyAddress | None:
    """The ticket and the signature, which may be empty, of one of our addresses; None for other addresses."""
    local, _at, domain = address.lower().rpartition("@")
    match = TAGGED.fullmatch(local)
    if match is None or not _receives(f"{match['name']}@{domain}"):
        return None
    return ReplyAddress(int(match["ticket"]), match["signature"] or "")


def masked(text: str) -> str:
    """`text` without signatures, because a quoted email may contain somebody's reply address."""
    return SIGNED.sub(lambda found: found["name"].lower(), text)


def sign(value: str, *, salt: str, key: str | None = None) -> str:
    """A signature of `value` in LENGTH hexadecimal digits, with SECRET_KEY unless another key is given."""
    return salted_hmac(salt, value, secret=key, algorithm="sha256").hexdigest()[:LENGTH]


def is_signature(signature: str, value: str, *, salt: str) -> bool:
    """Whether sign() made this signature with SECRET_KEY or a key of SECRET_KEY_FALLBACKS."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(signature, sign(value, salt=salt, key=key)) for key in keys)


def _receives(address: str) -> bool:
    """Whether replies are sent to this address, apart from their tag."""
    domain = settings.INBOUND_DOMAIN
    return (bool(domain) and address == f"{MAILBOX}@{domain}") or address in mailboxes.addresses()


def signed_value(ticket: int, person: int, internal: bool) -> str:
    return f"{ticket}.{person}.{'note' if internal else 'reply'}"
