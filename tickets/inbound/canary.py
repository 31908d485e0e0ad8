"""The address of the helpdesk's mails to itself: support+canary.<time>.<signature>@."""

import re
from datetime import datetime

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from tickets.inbound.addresses import LENGTH, MAILBOX, is_ours

SALT = "tickets.inbound.canary"
CANARY = re.compile(rf"{MAILBOX}\+canary\.(?P<stamp>[0-9a-f]{{1,12}})\.(?P<signature>[0-9a-f]*)", re.ASCII)


def canary_address(moment: datetime) -> str:
    """Where the canary of this second goes; no other has this address."""
    stamp = f"{int(moment.timestamp()):x}"
    signature = _signature(stamp, key=settings.SECRET_KEY)
    return f"{MAILBOX}+canary.{stamp}.{signature}@{settings.INBOUND_DOMAIN}"


def is_canary(address: str) -> bool:
    """Whether it is an address that canary_address() made."""
    local, _at, _domain = address.lower().rpartition("@")
    match = CANARY.fullmatch(local) if is_ours(address) else None
    if match is None:
        return False
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    signatures = [_signature(match["stamp"], key=key) for key in keys]
    return any(constant_time_compare(match["signature"], signature) for signature in signatures)


def _signature(stamp: str, *, key: str) -> str:
    return salted_hmac(SALT, stamp, secret=key, algorithm="sha256").hexdigest()[:LENGTH]
