"""Alarms about sending, for each mailbox: refused, rejected in a row, unreachable, and a secret that ends."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets.mail import pause
from tickets.models import Mailbox, MailboxState, OutboxPause

Reason = OutboxPause.Reason
UNREACHABLE_AFTER = timedelta(minutes=10)
SECRET_ENDS_IN = (1, 7, 14, 30)  # days; each raises an alarm of its own


def found(now: datetime) -> dict[str, str]:
    """{name: sentence} of all active mailboxes. `now` is the database's time."""
    mailboxes = list(Mailbox.objects.active().select_related("state"))
    pauses = pause.states() if mailboxes else {}
    return {
        f"mailbox.{mailbox.pk}.{name}": words
        for mailbox in mailboxes
        for name, words in (*_of_sending(mailbox, pauses.get(mailbox.pk), now), *_of_secret(mailbox, now))
    }


def _of_sending(mailbox: Mailbox, paused: OutboxPause | None, now: datetime) -> Iterator[tuple[str, str]]:
    if paused is None or mailbox.sends_by == Mailbox.Sending.NO:
        return
    state = getattr(mailbox, "state", None) or MailboxState(mailbox=mailbox)
    values = {"address": mailbox.address, "why": state.send_error}
    if paused.reason == Reason.REFUSED:
        yield "refused-out", _("The mailbox %(address)s can't send: %(why)s") % values
    if paused.reason == Reason.BREAKER:
        yield (
            "breaker",
            _("The mailbox %(address)s can't send: several emails in a row were rejected. %(why)s") % values,
        )
    if paused.reason == Reason.SILENT and _is_long(state, now):
        yield (
            "unreachable-out",
            _("The mail server of %(address)s does not respond, so its emails wait: %(why)s") % values,
        )


def _is_long(state: MailboxState, now: datetime) -> bool:
    return state.send_since is not None and state.send_since <= now - UNREACHABLE_AFTER


def _of_secret(mailbox: Mailbox, now: datetime) -> Iterator[tuple[str, str]]:
    if mailbox.secret_expires_on is None:
        return
    days = (mailbox.secret_expires_on - timezone.localdate(now)).days
    near = next((limit for limit in SECRET_ENDS_IN if days <= limit), None)
    if near is not None:
        values = {
            "address": mailbox.address,
            "date": date_format(mailbox.secret_expires_on, "DATE_FORMAT"),
        }
        words = _("The client secret of %(address)s ends on %(date)s. Make a new one in time.")
        if days < 0:
            words = _("The client secret of %(address)s ended on %(date)s. Make a new one in Entra.")
        yield f"secret-ends.{near}", words % values
