"""Stores each message once, raw, before it is parsed."""

import logging
import re

from django.db import IntegrityError, transaction

from helpdesk import clock
from tickets.mail.receiving.limits import END_OF_HEADERS, MAX_HEADER_BYTES
from tickets.models import InboundEmail

logger = logging.getLogger(__name__)
MESSAGE_ID = re.compile(
    rb"^Message-ID:[ \t]*(?:\r?\n[ \t]+)?(<[!-;=?-~]{1,250}>)", re.IGNORECASE | re.MULTILINE
)
# Headers that identify a message.
WHO_WHEN_WHAT = re.compile(rb"^(?:From|Date|Subject):.*(?:\r?\n[ \t].*)*", re.IGNORECASE | re.MULTILINE)
WHITESPACE = b" \t\r\n\v\f"
DATE = re.compile(rb"^Date:", re.IGNORECASE | re.MULTILINE)


def store(raw: bytes, *, provider_id: str, **values) -> InboundEmail:
    """Stores a message, or returns the one that is already stored."""
    found = MESSAGE_ID.search(_head(raw))
    identity = InboundEmail.identity_of(found[1].decode() if found else "", raw)
    values = {"size": len(raw), **values, "provider_id": provider_id, "raw": raw, "received_at": clock.now()}
    email, is_new = _stored(identity, **values)
    if is_new or (provider_id and email.provider_id == provider_id):
        return email
    if _is_copy(raw, bytes(email.raw)):
        return email
    logger.warning("Another mail came with the Message-ID of mail %s.", email.pk)
    identity = InboundEmail.identity_of("", b"\n".join([identity.encode(), _gist(raw)]))
    return _stored(identity, reason=InboundEmail.Reason.REPEATED, **values)[0]


def _stored(identity: str, *, provider_id: str, **values) -> tuple[InboundEmail, bool]:
    """The message with this identity or provider's id, and whether it is new."""
    known = InboundEmail.objects.without_raw()
    try:
        with transaction.atomic():
            email = InboundEmail.objects.create(identity=identity, provider_id=provider_id, **values)
    except IntegrityError:
        by_id = known.filter(provider_id=provider_id).first() if provider_id else None
        return by_id or known.get(identity=identity), False
    return email, True


def _is_copy(raw: bytes, other: bytes) -> bool:
    """Whether two messages with one Message-ID are the same, apart from changes on the way."""
    return raw == other or _gist(raw) == _gist(other)


def _gist(raw: bytes) -> bytes:
    head = _head(raw)
    gist = WHO_WHEN_WHAT.findall(head)
    if not DATE.search(head):
        gist.append(raw[len(head) :])
    return b"".join(gist).translate(None, delete=WHITESPACE)


def _head(raw: bytes) -> bytes:
    end = END_OF_HEADERS.search(raw)
    return raw[: min(end.start() if end else len(raw), MAX_HEADER_BYTES)]
