"""Tests a mailbox: an email leaves it and comes back, hop by hop (MailProbe). It becomes no ticket.

The page starts a test, a worker runs it, and the page shows each hop. What the servers do to our headers is
saved in MailboxState.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from helpdesk import clock
from helpdesk.encryption import LostKey
from tickets.mail import certificates, failures
from tickets.mail.addresses import sign
from tickets.mail.canary import canary_address
from tickets.mail.receiving import parsing, proof
from tickets.mail.receiving.fetching import rounds
from tickets.mail.sending.delivery import SEND_SECONDS
from tickets.mail.sending.senders import transport
from tickets.mail.sending.time_limit import time_limit
from tickets.mail.sending.transports.outcome import Accepted, SenderRefused
from tickets.models import Arrival, InboundEmail, Mailbox, MailboxState, MailProbe

OK, WARNING, FAILED = "ok", "warning", "failed"
LONGEST = timedelta(minutes=3)
WORKER_IS_LATE_AFTER = timedelta(seconds=20)
CERTIFICATE_ENDS_SOON = timedelta(days=14)
SALT = "tickets.mail.probing"
FETCHED = (Mailbox.Fetching.IMAP, Mailbox.Fetching.GRAPH)


class HopFailed(Exception):
    """The test ends here. The message says what to do."""


class HopWarning(Exception):
    """Not as it should be, but the test goes on."""


def start(mailbox: Mailbox, by) -> MailProbe:
    """Starts a test, unless one is running: then that one."""
    with transaction.atomic():
        Mailbox.objects.select_for_update().get(pk=mailbox.pk)
        now = clock.now()
        running = mailbox.probes.filter(ended_at=None, started_at__gt=now - LONGEST).first()
        return running or MailProbe.objects.create(mailbox=mailbox, started_by=by, started_at=now)


def run_waiting() -> None:
    """Goes on with each running test: sends its email, or looks whether it is back."""
    for probe in MailProbe.objects.filter(ended_at=None).select_related("mailbox").order_by("pk"):
        if probe.hops:
            _look_for(probe)
        else:
            _send(probe)


def _send(probe: MailProbe) -> None:
    mailbox = probe.mailbox
    server = transport(mailbox) if mailbox.sends_by != Mailbox.Sending.NO else None
    hops = [("worker", lambda: ""), ("settings", lambda: _check_settings(mailbox))]
    if certificates.servers_of(mailbox):
        hops += [
            ("name", lambda: _find_names(mailbox)),
            ("certificate", lambda: _check_certificates(mailbox)),
        ]
    if server:
        hops += [("login", lambda: _log_in(server)), ("accepted", lambda: _hand_over(server, probe))]
    try:
        if not all(_hop(probe, name, act) for name, act in hops):
            _end(probe)
        elif server is None or mailbox.fetches_by == Mailbox.Fetching.NO:
            _end(probe)  # nothing comes back
    finally:
        if server:
            server.close()


def _hop(probe: MailProbe, name: str, act: Callable[[], str]) -> bool:
    """Does a hop and saves the result, which the page shows at once. Returns whether the test goes on."""
    begin, state = time.monotonic(), OK
    try:
        words = act()
    except HopWarning as warning:
        state, words = WARNING, str(warning)
    except HopFailed as error:
        state, words = FAILED, str(error)
    ms = round((time.monotonic() - begin) * 1000)
    probe.hops = [*probe.hops, {"name": name, "state": state, "ms": ms, "words": words}]
    probe.save(update_fields=["hops"])
    return state != FAILED


def _end(probe: MailProbe) -> None:
    probe.ended_at = clock.now()
    probe.save(update_fields=["ended_at"])


def _check_settings(mailbox: Mailbox) -> str:
    try:
        has_secret = bool(mailbox.secrets)
    except LostKey as error:
        raise HopFailed(failures.LOST_SECRET) from error
    if mailbox.sends_by == Mailbox.Sending.SMTP and not mailbox.smtp_host:
        raise HopFailed(_("Enter the SMTP server."))
    if mailbox.fetches_by == Mailbox.Fetching.IMAP and not mailbox.imap_host:
        raise HopFailed(_("Enter the IMAP server."))
    if certificates.servers_of(mailbox) and not has_secret and mailbox.user:
        raise HopFailed(_("Enter the secret."))
    return ""


def _find_names(mailbox: Mailbox) -> str:
    for server in certificates.servers_of(mailbox):
        if not certificates.has_name(server):
            raise HopFailed(_("There is no server named %(host)s.") % {"host": server.host})
    return ", ".join(dict.fromkeys(server.host for server in certificates.servers_of(mailbox)))


def _check_certificates(mailbox: Mailbox) -> str:
    ends = []
    for server in certificates.servers_of(mailbox):
        try:
            ends.append(certificates.end_of(server))
        except (OSError, certificates.NoCertificate) as error:
            words = {"host": server.host, "why": str(error) or type(error).__name__}
            raise HopFailed(_("No secure connection to %(host)s: %(why)s") % words) from error
    known = [end for end in ends if end]
    if not known:
        return _("not encrypted, on this machine")
    words = _("valid until %(day)s") % {"day": date_format(min(known), "DATE_FORMAT")}
    if min(known) < clock.now() + CERTIFICATE_ENDS_SOON:
        raise HopWarning(words)
    return words


def _log_in(server) -> str:
    with time_limit(SEND_SECONDS, cut=server.cut):
        failure = server.open()
    if failure:
        raise HopFailed(failure.words)
    return ""


def _hand_over(server, probe: MailProbe) -> str:
    with time_limit(SEND_SECONDS, cut=server.cut):
        outcome = server.send(_mail(probe))
    if isinstance(outcome, Accepted):
        probe.mailbox.forget_failures(keeps_token=True)
        return outcome.provider_id
    if isinstance(outcome, SenderRefused):
        words = {"address": probe.mailbox.address, "why": outcome.words}
        raise HopFailed(_("The server does not let us send as %(address)s: %(why)s") % words)
    raise HopFailed(outcome.words)


def _mail(probe: MailProbe) -> EmailMessage:
    mailbox = probe.mailbox
    return EmailMessage(
        subject=_subject(probe),
        body=_("This email tests a mailbox of the helpdesk. You can delete it."),
        from_email=formataddr((mailbox.sender_name, mailbox.address)),
        to=[_address(probe)],
        headers={"Message-ID": _message_id(probe), "Auto-Submitted": "auto-generated"},
    )


def _subject(probe: MailProbe) -> str:
    return f"{settings.SITE_NAME}: test {probe.pk}.{sign(str(probe.pk), salt=SALT)}"


def _address(probe: MailProbe) -> str:
    return canary_address(probe.started_at, at=probe.mailbox.address)


def _message_id(probe: MailProbe) -> str:
    return f"<helpdesk-test-{probe.pk}-{sign(str(probe.pk), salt=SALT)}@{settings.MESSAGE_ID_DOMAIN}>"


def _look_for(probe: MailProbe) -> None:
    """Fetches the mailbox and ends the test if its email is there, or has been away for too long."""
    mailbox = probe.mailbox
    problem = rounds.fetch(mailbox).problem if mailbox.fetches_by in FETCHED else ""
    email = _returned(probe)
    if email:
        _measure(probe, email)
    elif problem:
        _hop(probe, "back", _failing(problem))
        _end(probe)
    elif clock.now() > probe.started_at + LONGEST:
        words = _("It did not come back within three minutes. Is it in the Junk folder or in quarantine?")
        _hop(probe, "back", _failing(words))
        _end(probe)


def _failing(words: str) -> Callable[[], str]:
    def fail() -> str:
        raise HopFailed(words)

    return fail


def _returned(probe: MailProbe) -> InboundEmail | None:
    """The email that came back: by its Message-ID, its address, or its subject if both were replaced."""
    recent = InboundEmail.objects.filter(received_at__gte=probe.started_at)
    is_it = Q(identity=_message_id(probe)) | Q(recipient=_address(probe)) | Q(subject=_subject(probe))
    return recent.filter(is_it).order_by("pk").first()


def _measure(probe: MailProbe, email: InboundEmail) -> None:
    """Saves the hops after the return, and what the servers did to our headers."""
    mailbox, mail = probe.mailbox, parsing.parse(bytes(email.raw))
    headers = message_from_bytes(bytes(email.raw))
    seconds = round((email.received_at - probe.started_at).total_seconds())
    keeps_plus = _address(probe) in {email.recipient, *mail.recipients}
    keeps_id = email.identity == _message_id(probe)
    keeps_auto = "auto-generated" in str(headers.get("Auto-Submitted", "")).lower()
    proves = proof.of(email, mail) == proof.Verdict.PASS
    _hop(probe, "back", lambda: _("after %(seconds)d s") % {"seconds": seconds})
    for name, is_so, otherwise in (
        ("plus", keeps_plus, _("Replies go to the plain address and find their ticket otherwise.")),
        ("message_id", keeps_id, _("The server replaces it. Replies are found by its own.")),
        ("auto_submitted", keeps_auto, _("The server removes it. Limits stop email loops.")),
        ("proof", proves, _("Emails to this mailbox are not verified: they wait for review.")),
    ):
        _hop(probe, name, _fact(is_so, otherwise))
    if mailbox.fetches_by in FETCHED and mailbox.after == Mailbox.After.MOVE:
        is_moved = Arrival.objects.filter(email=email, mailbox=mailbox).exclude(moved_at=None).exists()
        _hop(probe, "moved", _fact(is_moved, _("The email is still in the inbox. It is tried again.")))
    MailboxState.of(mailbox)
    MailboxState.objects.filter(mailbox=mailbox).update(
        keeps_plus=keeps_plus,
        keeps_message_id=keeps_id,
        keeps_auto_submitted=keeps_auto,
        proves_itself=proves,
        measured_at=clock.now(),
    )
    if not keeps_plus:
        Mailbox.objects.filter(pk=mailbox.pk).update(plus=False)
    _end(probe)


def _fact(is_so: bool, otherwise: str) -> Callable[[], str]:
    def tell() -> str:
        if not is_so:
            raise HopWarning(otherwise)
        return ""

    return tell
