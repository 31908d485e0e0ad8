"""Pauses a mailbox whose server rejects several people in a row, and returns their emails to the outbox.

A wrongly read code, or a server that rejects everything, then costs minutes instead of all emails. An email
that was returned and is rejected again, although the server has accepted another one since, has failed.
"""

import logging
from itertools import takewhile

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from tickets.mail import pause
from tickets.mail.sending import mailbox_health
from tickets.mail.sending.ready_mail import ReadyMail
from tickets.mail.sending.transports.outcome import Never
from tickets.models import MailboxState, Notification, OutboxPause, SuppressedAddress

logger = logging.getLogger(__name__)
State, Reason = Notification.State, OutboxPause.Reason
MOST_REJECTED = 5  # people in a row
MOST_BY_POLICY = 3  # people in a row whom the server may not write to
UNGUARDED = ("mailgun", "console")  # without a mailbox these behave as before there was one
REMEMBERED = 50  # emails in a row


def trips(ready: ReadyMail, outcome: Never) -> bool:
    """Notes an email that has failed. Returns whether its mailbox pauses now and the emails wait again."""
    if outcome.heard is None or (ready.mailbox is None and settings.MAIL_PROVIDER in UNGUARDED):
        return False
    if ready.notifications[0].person is None:  # to a stranger, who chooses the address and its answers
        return False
    with transaction.atomic():
        row = pause.row(ready.paused.number).select_for_update().get()
        pks = [notification.pk for notification in ready.notifications]
        if not row.reason and set(pks) & set(row.returned):
            return False
        entry = [pks, ready.notifications[0].address.lower(), outcome.is_policy]
        row.rejected = [*row.rejected, entry][-REMEMBERED:]
        reason = _reason(row.rejected)
        if reason:
            row.returned = [pk for pks, *_rest in row.rejected for pk in pks]
        row.save(update_fields=["rejected", "returned"])
    if reason:
        _return(ready, row.returned, reason, outcome.words)
    return bool(reason)


def _reason(rejected: list) -> str:
    """Why the mailbox pauses; "" if it does not."""
    by_policy = takewhile(lambda entry: entry[2], reversed(rejected))
    if len({address for _pks, address, _is_policy in by_policy}) >= MOST_BY_POLICY:
        return Reason.REFUSED
    is_broken = len({address for _pks, address, _is_policy in rejected}) >= MOST_REJECTED
    return Reason.BREAKER if is_broken else ""


def _return(ready: ReadyMail, pks: list[int], reason: Reason, words: str) -> None:
    """Puts the emails back into the outbox, after those that are due. The attempt does not count."""
    sender = ready.mailbox or "The mail provider"
    until = pause.begin(pause.KEY_PAUSE, reason, seen=ready.paused)
    logger.error("%s rejected several people in a row (%s). All its mail waits.", sender, words)
    rows = Notification.objects.filter(pk__in=pks, state=State.FAILED)
    SuppressedAddress.objects.filter(notification__in=rows, reason=SuppressedAddress.Reason.BOUNCED).delete()
    last_error = _("Waits because several emails in a row were rejected. %(words)s") % {"words": words}
    rows.update(state=State.WAITING, attempts=F("attempts") - 1, next_try_at=until, last_error=last_error)
    mailbox_health.fails(ready.mailbox, MailboxState.Health.REFUSED, words)
