"""Webhooks for Mailgun: delivery events and incoming email.

Mailgun signs a timestamp and a token, not the body. So each signature is accepted once.
"""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from email.encoders import encode_base64
from types import SimpleNamespace

from anymail.exceptions import AnymailError
from anymail.webhooks.mailgun import MailgunInboundWebhookView, MailgunTrackingWebhookView
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpResponse, UnreadablePostError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from tickets.mail.receiving import form, handler
from tickets.models import InboundEmail

logger = logging.getLogger("security")

# Mailgun repeats posts for up to 8 hours until it gets a 200. Its documentation does not say whether it signs
# them again, and others have seen the first signature: a window of minutes would lose email after longer
# outages.
OLDEST = timedelta(hours=9)
AHEAD = timedelta(minutes=15)
AT_WORK, DONE = "at work", "done"
WORK_SECONDS = 120  # a process that takes longer is dead, and the next attempt may do the work
LONGEST_SIGNED = 100
LONGEST_ADDRESS = 320
LONGEST_NAME = 250  # of a file
LONGEST_HEADER, LONGEST_HEADERS = 2000, 64 * 1024
KIND = re.compile(r"[\w.+-]{1,50}/[\w.+-]{1,100}", re.ASCII)
SIGNED = re.compile(rf"[!-~]{{1,{LONGEST_SIGNED}}}", re.ASCII)
SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
# The errors that Anymail raises for a post with an unexpected structure.
NOT_MAILGUNS = (
    AnymailError, ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip


class BadPost(Exception):
    """The post is not from Mailgun, or not recent; the message says why."""


class DoorMixin:
    """Checks a post before Anymail's webhook view, whose own check fails on malformed fields."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        if not settings.MAILGUN_WEBHOOK_SECRET:
            raise Http404
        try:
            key, act = self.read(request)
        except (BadPost, form.BrokenForm, RequestDataTooBig, UnreadablePostError) as error:
            logger.warning("A post to %s was refused: %s.", request.path, error)
            return HttpResponse(status=400)
        return once(key, act)

    def read(self, request) -> tuple[str, Callable[[], object]]:
        """Returns the key of this post, and the function that handles it. Raises BadPost and the like."""
        raise NotImplementedError


class TrackingView(DoorMixin, MailgunTrackingWebhookView):
    """Delivery events of sent email."""

    def read(self, request):
        if request.content_type != "application/json":
            raise BadPost("it is not JSON")
        try:
            post = json.loads(request.body)
        except (ValueError, RecursionError) as error:
            raise BadPost("it is not JSON") from error
        if not isinstance(post, dict) or not isinstance(post.get("signature"), dict):
            raise BadPost("it has no signature")
        key = signed_key(post["signature"])
        try:
            event = self.esp_to_anymail_event(post)
        except NOT_MAILGUNS as error:
            raise BadPost("it is no event of Mailgun") from error
        return key, lambda: self.signal.send(sender=type(self), event=event, esp_name=self.esp_name)


class InboundView(DoorMixin, MailgunInboundWebhookView):
    """Incoming email: raw at a URL that ends in "mime", parsed by Mailgun at the other."""

    is_raw = False

    def read(self, request):
        posted = form.parse(request.read(), request.headers.get("Content-Type", ""))
        signature = {
            name: posted.last[name].text()
            for name in ("token", "timestamp", "signature")
            if name in posted.last and len(posted.last[name].raw) <= LONGEST_SIGNED
        }
        key = signed_key(signature)
        raw = self.raw_mail(posted)
        envelope = {
            name: posted.first[name].text().replace("\0", "")[:LONGEST_ADDRESS]
            if name in posted.first
            else ""
            for name in ("sender", "recipient")
        }
        return key, lambda: handler.receive(
            raw,
            route=InboundEmail.Route.MAILGUN,
            provider_id=signature["token"],
            envelope_sender=envelope["sender"],
            recipient=envelope["recipient"],
        )

    def raw_mail(self, posted: form.Form) -> bytes:
        """Returns the bytes of the email.

        An email that Mailgun parsed has its own headers as further fields, so the sender may have made up a
        "body-mime" among them.
        """
        is_taken_apart = "message-headers" in posted.first and not self.is_raw
        if "body-mime" in posted.first and not is_taken_apart:
            return posted.first["body-mime"].read()
        try:
            mail = self.message_from_mailgun_parsed(simplified(posted))
            for part in mail.walk():
                if not part.is_multipart() and "Content-Transfer-Encoding" not in part:
                    encode_base64(part)  # the bytes of a picture would change as lines of text
            return mail.as_bytes()
        except NOT_MAILGUNS as error:
            raise BadPost("it holds no mail") from error


def simplified(posted: form.Form) -> SimpleNamespace:
    """Builds the request that Anymail needs, without values that it handles in quadratic time.

    Raises BadPost.

    Anymail parses headers by Python's grammar of addresses. A long value is dropped, not cut: a cut one could
    be the address of another sender.
    """
    fields = {name: field.text() for name, field in posted.first.items() if field.name is None}
    files = {
        name: replace(field, content_type=kind_of(field.content_type), name=field.name[:LONGEST_NAME])
        for name, field in posted.first.items()
        if field.name is not None
    }
    headers = [(name, value) for name, value in json.loads(fields["message-headers"])]
    if sum(len(name) + len(value) for name, value in headers) > LONGEST_HEADERS:
        raise BadPost("its headers are too long")
    short = [(name, value if len(value) <= LONGEST_HEADER else "") for name, value in headers]
    fields["message-headers"] = json.dumps(short)
    if "attachment-count" in fields:
        fields["attachment-count"] = min(int(fields["attachment-count"]), form.MAX_FIELDS)
    return SimpleNamespace(POST=fields, FILES=files)


def kind_of(content_type: str) -> str:
    """Returns the content type without parameters.

    An attached message counts as bytes, so Anymail won't parse it.
    """
    kind = content_type.partition(";")[0].strip().lower()
    is_kept = KIND.fullmatch(kind) and not kind.startswith("message/")
    return kind if is_kept else "application/octet-stream"


def signed_key(block: Mapping) -> str:
    """Returns a cache key for the time and token. Raises BadPost unless Mailgun signed them recently."""
    token, timestamp, signature = (str(block.get(name, "")) for name in ("token", "timestamp", "signature"))
    if not (SIGNED.fullmatch(token) and SECONDS.fullmatch(timestamp) and SIGNED.fullmatch(signature)):
        raise BadPost("its signature has another form than Mailgun's")
    signed = f"{timestamp}{token}".encode("ascii")
    if not is_signed(signed, signature):
        raise BadPost("its signature is wrong")
    age = timezone.now().timestamp() - int(timestamp)
    if not -AHEAD.total_seconds() <= age <= OLDEST.total_seconds():
        raise BadPost("its signature is not from now")
    # Without the signature: during a key rotation one post can have two.
    return f"webhook.{hashlib.sha256(signed).hexdigest()}"


def is_signed(signed: bytes, signature: str) -> bool:
    """Whether one of the valid keys made this signature. During a rotation there are two keys."""
    keys = (settings.MAILGUN_WEBHOOK_SECRET, *settings.MAILGUN_WEBHOOK_SECRET_FALLBACKS)
    signatures = [hmac.new(key.encode(), signed, hashlib.sha256).hexdigest() for key in keys if key]
    return any(constant_time_compare(signature, expected) for expected in signatures)


def once(key: str, act: Callable[[], object]) -> HttpResponse:
    """Calls `act` once per key. Failed or unfinished attempts may be repeated."""
    if not cache.add(key, AT_WORK, timeout=WORK_SECONDS):
        # A cache that can't be written reports the same as one with the key: only DONE means done.
        return HttpResponse(status=200 if cache.get(key) == DONE else 409)
    try:
        act()
    except BaseException:
        cache.delete(key)
        raise
    cache.set(key, DONE, timeout=(OLDEST + AHEAD).total_seconds())
    return HttpResponse()
