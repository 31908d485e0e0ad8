"""Signed links in emails that work without a login. Each is valid for one ticket and one person.

Links that are signed with a key of SECRET_KEY_FALLBACKS stay valid (django.core.signing). A GET changes
nothing, because security scanners open every link of an email.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts.validators import is_number
from tickets.rules.workflow import REOPEN_PERIOD

ANSWERS = ("fixed", "not_fixed")
CONFIRM_PERIOD = timedelta(days=14)


@dataclass(frozen=True)
class Claim:
    ticket: int
    person: int


@dataclass(frozen=True)
class SenderClaim:
    email: int
    person: int


def mute_link(ticket: int, person: int) -> str:
    token = signing.Signer(salt="tickets.mute").sign(f"{ticket}.{person}")
    return settings.SITE_URL + reverse("tickets:mute", args=[token])


def read_mute(token: str) -> Claim | None:
    """The ticket and person of a mute link; None if the signature is invalid."""
    return _read(signing.Signer(salt="tickets.mute"), token)


def answer_token(ticket: int, person: int) -> str:
    return signing.TimestampSigner(salt="tickets.answer").sign(f"{ticket}.{person}")


def answer_links(ticket: int, person: int) -> tuple[str, str]:
    """The links for the answers "fixed" and "not fixed", valid for REOPEN_PERIOD."""
    token = answer_token(ticket, person)
    return tuple(settings.SITE_URL + reverse(f"tickets:{name}", args=[token]) for name in ANSWERS)


def read_answer(token: str) -> Claim | None:
    return _read(signing.TimestampSigner(salt="tickets.answer"), token, max_age=REOPEN_PERIOD)


def confirm_link(email: int, person: int) -> str:
    """The link with which a person confirms to have sent an email, valid for CONFIRM_PERIOD."""
    token = signing.TimestampSigner(salt="tickets.confirm_sender").sign(f"{email}.{person}")
    return settings.SITE_URL + reverse("tickets:confirm_sender", args=[token])


def read_confirm(token: str) -> SenderClaim | None:
    """The email and person of a confirmation link; None if the signature is invalid or too old."""
    signer = signing.TimestampSigner(salt="tickets.confirm_sender")
    claim = _read(signer, token, max_age=CONFIRM_PERIOD)
    return SenderClaim(email=claim.ticket, person=claim.person) if claim else None


def _read(signer: signing.Signer, token: str, **limits) -> Claim | None:
    try:
        ticket, _dot, person = signer.unsign(token, **limits).partition(".")
    except signing.BadSignature:
        return None
    return Claim(int(ticket), int(person)) if is_number(ticket) and is_number(person) else None
