"""Alarms about reading mailboxes: refused, unreachable, late. Each mailbox has its own."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from tickets.models import Mailbox, MailboxState

UNREACHABLE_AFTER, UNREACHABLE_FAILURES = timedelta(minutes=10), 3
LATE_AFTER = timedelta(minutes=15)
Health = MailboxState.Health


def found(now: datetime) -> dict[str, str]:
    """{name: sentence} of all mailboxes that are read. `now` is the database's time."""
    states = MailboxState.objects.filter(mailbox__in=Mailbox.objects.fetched()).select_related("mailbox")
    return {
        f"mailbox.{state.pk}.{name}": words % {"address": state.mailbox.address, "why": state.fetch_error}
        for state in states
        for name, words in _of(state, now)
    }


def _of(state: MailboxState, now: datetime) -> Iterator[tuple[str, str]]:
    if state.fetch_state == Health.REFUSED:
        yield "refused-in", _("The mailbox %(address)s can't be read: %(why)s")
        return
    if _is_unreachable(state, now):
        yield "unreachable-in", _("The mail server of %(address)s does not respond: %(why)s")
    if _is_late(state, now):
        yield "late", _("The mailbox %(address)s has not been read for more than 15 minutes.")


def _is_unreachable(state: MailboxState, now: datetime) -> bool:
    is_long = state.fetch_since is not None and state.fetch_since <= now - UNREACHABLE_AFTER
    return (
        state.fetch_state == Health.UNREACHABLE and is_long and state.fetch_failures >= UNREACHABLE_FAILURES
    )


def _is_late(state: MailboxState, now: datetime) -> bool:
    """Of a mailbox that was never read, the first failure counts."""
    last = state.fetched_at or state.fetch_since
    return last is not None and last < now - LATE_AFTER
