"""Test emails from the helpdesk to itself, to support+canary.<time>.<signature>@ or the same at a
mailbox. mail.alarms checks them; tickets.mail.probing tests a mailbox with them."""

import re
from datetime import datetime

from django.conf import settings

from helpdesk import clock
from tickets.mail.addresses import MAILBOX, is_in_inbound_domain, is_signature, sign
from tickets.models import Mailbox, Notification
from tickets.models.notification import CANARY

SALT = "tickets.inbound.canary"
ADDRESS = re.compile(
    r"(?P<name>[^@]{1,64})\+canary\.(?P<stamp>[0-9a-f]{1,12})\.(?P<signature>[0-9a-f]*)", re.ASCII
)


def send_canary() -> None:
    """Queues a canary if MAIL_CANARY is set, to the default mailbox if there is one that also receives."""
    if not settings.MAIL_CANARY:
        return
    mailbox, now = Mailbox.objects.default(), clock.now()
    at = mailbox.address if mailbox and mailbox.receives else ""
    if at or settings.INBOUND_DOMAIN:
        address = canary_address(now, at=at)
        Notification.objects.create(kind=CANARY, address=address, created_at=now, next_try_at=now)


def canary_address(moment: datetime, *, at: str = "") -> str:
    """The address of the canary of this second. Each canary has its own address.

    `at` is the address of a mailbox; "" stands for the provider of the settings.
    """
    stamp, base = f"{int(moment.timestamp()):x}", at or f"{MAILBOX}@{settings.INBOUND_DOMAIN}"
    name, _at, domain = base.rpartition("@")
    return f"{name}+canary.{stamp}.{sign(_signed_value(stamp, base), salt=SALT)}@{domain}"


def is_canary(address: str) -> bool:
    """Whether canary_address() generated this address."""
    local, _at, domain = address.lower().rpartition("@")
    match = ADDRESS.fullmatch(local)
    if match is None:
        return False
    signed = _signed_value(match["stamp"], f"{match['name']}@{domain}")
    return is_signature(match["signature"], signed, salt=SALT)


def _signed_value(stamp: str, base: str) -> str:
    is_of_settings = base.partition("@")[0] == MAILBOX and is_in_inbound_domain(base)
    return stamp if is_of_settings else f"{stamp}.{base}"
