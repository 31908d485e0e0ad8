"""Decides about a message from an address without an account: perhaps the first one of a colleague."""

import re
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connection

from accounts.validators import validate_address
from helpdesk import clock
from tickets.mail import known_domains
from tickets.mail.receiving.authentication import Verdict
from tickets.mail.receiving.decision import Decision, Reason, State, quarantined
from tickets.mail.receiving.parsing import Mail
from tickets.models import InboundEmail, KnownDomain, Mailbox

FirstContact = KnownDomain.FirstContact
# The most accounts within each span: a flood must not fill the company with accounts.
LIMITS = ((timedelta(hours=1), 20), (timedelta(minutes=1), 3))
LOCK = 0x46495253 << 32  # distinguishes this advisory lock from others
OLDEST = timedelta(days=1)  # so that an index finds the emails of the last hour
# Local parts of programs and of offices (RFC 2142), without punctuation: a person decides about them.
OFFICES = frozenset(
    {
        *("abuse", "admin", "administrator", "alert", "alerts", "backup", "billing", "cron", "daemon"),
        *("helpdesk", "hostmaster", "hr", "info", "it", "monitoring", "nagios", "newsletter", "noc"),
        *("notification", "notifications", "office", "postmaster", "printer", "report", "reports", "root"),
        *("sales", "scan", "scanner", "security", "service", "servicedesk", "support", "sysadmin", "system"),
        *("team", "updates", "webmaster"),
    }
)


def decide(email: InboundEmail, mail: Mail, verdict: Verdict) -> Decision:
    account = account_of(mail.sender)
    if account and not account.is_active:
        return quarantined(Reason.SENDER_LEFT)
    is_eligible = verdict == Verdict.PASS and is_deliverable(mail.sender)
    policy = _policy(email, mail) if is_eligible else FirstContact.OFF
    if policy == FirstContact.OFF:
        return quarantined(Reason.UNKNOWN_SENDER)
    if policy == FirstContact.ASK or is_no_persons(mail.sender):
        return quarantined(Reason.ASKED)
    if _are_too_many(clock.now()):
        return quarantined(Reason.TOO_MANY)
    return Decision(State.FILED, Reason.FIRST_CONTACT, invites=True)


def account_of(address: str):
    """The person with this address, also if it is unconfirmed or the account is deactivated."""
    return get_user_model().objects.filter(email=address).first() if address else None


def is_deliverable(address: str) -> bool:
    try:
        validate_address(address)
    except ValidationError:
        return False
    return True


def is_no_persons(address: str) -> bool:
    """Whether the address belongs to no single person by its name: root@, info@, or a second one, bob+1@."""
    local = address.rpartition("@")[0]
    return "+" in local or re.sub(r"[^a-z]", "", local) in OFFICES


def _policy(email: InboundEmail, mail: Mail) -> str:
    if email.mailbox and email.mailbox.first_contact == Mailbox.FirstContact.OFF:
        return FirstContact.OFF
    known = known_domains.find(mail.sender)
    return known.first_contact if known else FirstContact.OFF


def _are_too_many(now: datetime) -> bool:
    """Until the transaction ends no other one lets a person in, so the count stays correct.

    On SQLite only one transaction writes at a time.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    made = InboundEmail.objects.filter(reason=Reason.FIRST_CONTACT, received_at__gt=now - OLDEST)
    return any(made.filter(handled_at__gt=now - span).count() >= most for span, most in LIMITS)
