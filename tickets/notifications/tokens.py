"""Links in mails that act for their reader without a login. Each names one ticket and one person, signed.

Old keys count as long as SECRET_KEY_FALLBACKS names them (django.core.signing). A GET changes nothing:
scanners open every link of a mail.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts.validators import is_number
from tickets.workflow import REOPEN_PERIOD

ANSWERS = ("fixed", "not_fixed")


@dataclass(frozen=True)
class Claim:
    ticket: int
    person: int


def mute_link(ticket: int, person: int) -> str:
    token = signing.Signer(salt="tickets.mute").sign(f"{ticket}.{person}")
    return settings.SITE_URL + reverse("tickets:mute", args=[token])


def read_mute(token: str) -> Claim | None:
    """Whose mail about which ticket; None for a token that we did not sign."""
    return _read(signing.Signer(salt="tickets.mute"), token)


def answer_links(ticket: int, person: int) -> tuple[str, str]:
    """Where the requester says that what is done is fixed, and that it is not; for REOPEN_PERIOD from now."""
    token = signing.TimestampSigner(salt="tickets.answer").sign(f"{ticket}.{person}")
    return tuple(settings.SITE_URL + reverse(f"tickets:{name}", args=[token]) for name in ANSWERS)


def read_answer(token: str) -> Claim | None:
    return _read(signing.TimestampSigner(salt="tickets.answer"), token, max_age=REOPEN_PERIOD)


def _read(signer: signing.Signer, token: str, **limits) -> Claim | None:
    try:
        ticket, _dot, person = signer.unsign(token, **limits).partition(".")
    except signing.BadSignature:
        return None
    return Claim(int(ticket), int(person)) if is_number(ticket) and is_number(person) else None
