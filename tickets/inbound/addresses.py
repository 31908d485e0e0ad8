"""The addresses that mail comes in by: support@ for new tickets, support+<ticket>.<signature>@ for answers.

The signature is for one ticket and one person, so what is answered with it comes from that person's mail.
Mail about an internal note has a signature of its own: the answer to it is an internal note too. All is lower
case: mail programs may change the case of an address.
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
        keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
        signatures = [_signature(self.ticket, person, internal=internal, key=key) for key in keys]
        return any(constant_time_compare(self.signature, signature) for signature in signatures)


def is_ours(address: str) -> bool:
    """Whether mail to this address comes in here."""
    domain = settings.INBOUND_DOMAIN
    return bool(domain) and address.lower().rpartition("@")[2] == domain


def new_ticket_address() -> str:
    return f"{MAILBOX}@{settings.INBOUND_DOMAIN}"


def reply_address(ticket: int, person: int, *, internal: bool = False) -> str:
    """Where `person` answers on a ticket; `internal`: what is answered there only staff read."""
    signature = _signature(ticket, person, internal=internal, key=settings.SECRET_KEY)
    return f"{MAILBOX}+{ticket}.{signature}@{settings.INBOUND_DOMAIN}"


def parse(address: str) -> ReplyAddress | None:
    """The ticket that an address of ours names, signed or not; None where it names none."""
    local, _at, _domain = address.lower().rpartition("@")
    match = TAGGED.fullmatch(local) if is_ours(address) else None
    return ReplyAddress(int(match["ticket"]), match["signature"] or "") if match else None


def masked(text: str) -> str:
    """`text` without signatures: what is quoted from a mail may show the address of somebody."""
    return SIGNED.sub(MAILBOX, text)


def _signature(ticket: int, person: int, *, internal: bool, key: str) -> str:
    value = f"{ticket}.{person}.{'note' if internal else 'reply'}"
    return salted_hmac(SALT, value, secret=key, algorithm="sha256").hexdigest()[:LENGTH]
