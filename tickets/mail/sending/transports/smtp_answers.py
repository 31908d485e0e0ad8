"""What the answer of an SMTP server means: the step and the code decide (RFC 5321, 4.2; RFC 3463).

smtplib wraps every answer to AUTH in one class, also "try again later".
"""

import re
from datetime import timedelta
from enum import Enum, auto

from django.utils.translation import gettext as _

from tickets.mail.failures import storable
from tickets.mail.sending.transports.outcome import Failure, Later, Never, SenderRefused, Slow

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
RATE = re.compile(r"\brate\b|too many|throttl", re.IGNORECASE)
# Exchange: the account has sent all it may for now, or its own mailbox is full, or it may not send as From.
QUOTA = re.compile(r"SubmissionQuotaExceeded|daily (user )?sending (limit|quota)", re.IGNORECASE)
OWN_MAILBOX_FULL = re.compile(r"STOREDRV|QuotaExceeded", re.IGNORECASE)
SEND_AS = re.compile(r"SendAsDenied|5\.2\.252|5\.7\.60", re.IGNORECASE)


class SmtpStep(Enum):
    CONNECT = auto()
    AUTH = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()


def failure(step: SmtpStep, code: int, text: str, *, wait: timedelta) -> Failure:
    """The outcome of an answer that is not the expected one. `wait` is the pause if the login is refused."""
    words = storable(f"{step.name}: {code} {text}")
    if code == 421 and step != SmtpStep.AUTH:
        return Later(words)
    return BY_STEP[step](code, _enhanced(text), words, wait)


def _enhanced(text: str) -> str:
    """The enhanced status code, like 5.7.1; "" if the answer has none."""
    found = ENHANCED.search(text)
    return found.group() if found else ""


def _connect(code: int, enhanced: str, words: str, wait: timedelta) -> Failure:
    return SenderRefused(words) if code >= 500 else Later(words)


def _auth(code: int, enhanced: str, words: str, wait: timedelta) -> Failure:
    return Slow(words, MINUTE) if 400 <= code < 500 else SenderRefused(words, wait)


def _mail(code: int, enhanced: str, words: str, wait: timedelta) -> Failure:
    if code in (552, 523) or enhanced == "5.3.4":
        return Never(words)
    if code == 432:
        return Slow(words, MINUTE)
    if code < 500:
        return Later(words)
    if SEND_AS.search(words) or code in (550, 553, 554):
        return SenderRefused(_may_not_send(words))
    return SenderRefused(words, wait) if code in (530, 535, 538) else Never(words)


def _rcpt(code: int, enhanced: str, words: str, wait: timedelta) -> Failure:
    if code == 552 or enhanced == "5.2.2":  # their mailbox is full, which passes
        return Later(words)
    if enhanced == "5.4.5":
        return Slow(words, HOUR)
    if code < 500:
        return Later(words)
    if enhanced.startswith("5.7."):
        return Never(words, is_policy=True)
    return Never(words, suppress=enhanced.startswith("5.1.") or code in (550, 551, 553))


def _data(code: int, enhanced: str, words: str, wait: timedelta) -> Failure:
    if QUOTA.search(words) or enhanced == "5.4.5":
        return Slow(words, HOUR)
    if code == 432 or (code < 500 and enhanced.startswith("4.7.") and RATE.search(words)):
        return Slow(words, MINUTE)
    if code < 500:
        return Later(words)
    if SEND_AS.search(words):
        return SenderRefused(_may_not_send(words))
    if code == 554 and OWN_MAILBOX_FULL.search(words):
        return SenderRefused(_("The mailbox is full, so it can't send. %(words)s") % {"words": words})
    return Never(words)


def _may_not_send(words: str) -> str:
    return _("The server does not let us send from this address. %(words)s") % {"words": words}


BY_STEP = {
    SmtpStep.CONNECT: _connect,
    SmtpStep.AUTH: _auth,
    SmtpStep.MAIL: _mail,
    SmtpStep.RCPT: _rcpt,
    SmtpStep.DATA: _data,
}
