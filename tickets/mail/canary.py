"""Test emails from the helpdesk to itself, to support+canary.<time>.<signature>@. mail.alarms checks them."""

import re
from datetime import datetime

from django.conf import settings

from helpdesk import clock
from tickets.mail.addresses import MAILBOX, is_in_inbound_domain, is_signature, sign
from tickets.models import Notification
from tickets.models.notification import CANARY

SALT = "tickets.inbound.canary"
ADDRESS = re.compile(rf"{MAILBOX}\+canary\.(?P<stamp>[0-9a-f]{{1,12}})\.(?P<signature>[0-9a-f]*)", re.ASCII)


def send_canary() -> None:
    """Queues a canary if MAIL_CANARY is set."""
    if settings.MAIL_CANARY:
        now = clock.now()
        Notification.objects.create(kind=CANARY, address=canary_address(now), created_at=now, next_try_at=now)


def canary_address(moment: datetime) -> str:
    """The address of the canary of this second. Each canary has its own address."""
    stamp = f"{int(moment.timestamp()):x}"
    return f"{MAILBOX}+canary.{stamp}.{sign(stamp, salt=SALT)}@{settings.INBOUND_DOMAIN}"


def is_canary(address: str) -> bool:
    """Whether canary_address() generated this address."""
    match = ADDRESS.fullmatch(address.lower().rpartition("@")[0])
    is_signed = match is not None and is_signature(match["signature"], match["stamp"], salt=SALT)
    return is_signed and is_in_inbound_domain(address)
