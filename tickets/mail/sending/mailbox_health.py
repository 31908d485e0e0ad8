"""Keeps in MailboxState how sending goes. The provider of the settings (None) has no such row."""

from datetime import datetime, timedelta

from django.db.models import Case, F, Value, When

from helpdesk import clock
from tickets.models import Mailbox, MailboxState

Health = MailboxState.Health
NOTED_AGAIN_AFTER = timedelta(minutes=1)  # a statement for each email would be one too many


def works(mailbox: Mailbox | None, now: datetime) -> None:
    """Notes that the server has accepted an email."""
    if mailbox is None:
        return
    state = getattr(mailbox, "state", None) or MailboxState.of(mailbox)
    is_noted = state.send_state == Health.OK and state.sent_at and now - state.sent_at < NOTED_AGAIN_AFTER
    if is_noted:
        return
    state.send_since = state.send_since if state.send_state == Health.OK else now
    state.send_state, state.send_error, state.send_failures, state.sent_at = Health.OK, "", 0, now
    state.save(update_fields=["send_state", "send_since", "send_error", "send_failures", "sent_at"])


def fails(mailbox: Mailbox | None, health: Health, words: str) -> None:
    """Notes a failure of the mailbox, not of one email. The time of the first failure in a row is kept."""
    if mailbox is None:
        return
    state = MailboxState.of(mailbox)
    since = Case(When(send_state=health, then=F("send_since")), default=Value(clock.now()))
    MailboxState.objects.filter(mailbox=mailbox).update(
        send_since=since, send_state=health, send_error=words, send_failures=F("send_failures") + 1
    )
    state.refresh_from_db()
    mailbox.state = state  # works() compares with it
