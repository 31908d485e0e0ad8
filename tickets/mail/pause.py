"""Pauses the emails of one sender while its server throttles, rejects us or does not answer.

A sender is a mailbox or the provider of the settings (OutboxPause.number); one never stops another. All
workers share the rows and use the database's clock. A pause ends with a trial: after its time one worker
sends one email, and the result ends the pause or starts another.
"""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.db.models import F, Q

from helpdesk import clock
from tickets.models import OutboxPause
from tickets.models.outbox_pause import LONGEST, SETTINGS

logger = logging.getLogger(__name__)
Reason = OutboxPause.Reason
DEFAULT = timedelta(minutes=1)
KEY_PAUSE = timedelta(minutes=5)
SILENT_PAUSE = timedelta(minutes=5)
MOST_UNANSWERED = 3  # attempts in a row, counted over all workers
TRIAL = timedelta(minutes=1)  # longer than one email takes; a worker that needs longer is dead


def states() -> dict[int, OutboxPause]:
    """The pauses by the number of their sender, also those that wait for their trial."""
    return {pause.number: pause for pause in OutboxPause.objects.all()}


def state(number: int = SETTINGS) -> OutboxPause:
    return OutboxPause.objects.filter(number=number).first() or OutboxPause(number=number)


def is_on(number: int = SETTINGS) -> bool:
    return state(number).is_on(clock.now())


def reason(number: int = SETTINGS) -> str:
    """The reason of the pause (OutboxPause.Reason), kept until a trial succeeds; "" without a pause."""
    return state(number).reason


def begin(period: timedelta, reason: Reason, *, seen: OutboxPause) -> datetime:
    """Pauses for `period`, unless another worker has started a longer pause. Returns the end.

    `seen` is the state at the time when the email was sent.
    """
    end = clock.now() + period
    is_shorter = Q(until=seen.until) | Q(until=None) | Q(until__lt=end) | Q(until__gt=end + LONGEST)
    row(seen.number).filter(is_shorter).update(until=end, reason=reason)
    return end


def take_trial(seen: OutboxPause) -> bool:
    """Lets one worker send one email after a pause. Returns False if another worker has the trial."""
    until = clock.now() + TRIAL
    is_ours = bool(_as_seen(seen).update(until=until))
    if is_ours:
        seen.until = until
    return is_ours


def answered(seen: OutboxPause, *, takes_mail: bool) -> None:
    """Ends the pause after its trial was answered, unless its reason may still apply."""
    if not takes_mail and seen.reason not in ("", Reason.SILENT):
        return
    if seen.until or seen.unanswered:
        _as_seen(seen).update(until=None, reason="", unanswered=0)


def accepted(seen: OutboxPause) -> None:
    """Ends the pause after an email was accepted, and the row of rejected ones."""
    if seen.until or seen.unanswered or seen.rejected:
        _as_seen(seen).update(until=None, reason="", unanswered=0, rejected=[])


def unanswered(seen: OutboxPause) -> None:
    """Counts an attempt without an answer. Pauses after MOST_UNANSWERED attempts in a row."""
    row(seen.number).update(unanswered=F("unanswered") + 1)
    count = state(seen.number).unanswered
    if count >= MOST_UNANSWERED:
        words = "The email provider did not answer %s times in a row. All email of sender %s waits."
        logger.error(words, count, seen.number)
        begin(SILENT_PAUSE, Reason.SILENT, seen=seen)


def row(number: int):
    """The row of a sender as a QuerySet. Creates it if it is missing."""
    OutboxPause.objects.bulk_create([OutboxPause(number=number)], ignore_conflicts=True)
    return OutboxPause.objects.filter(number=number)


def _as_seen(seen: OutboxPause):
    """The row, if its pause is still the one that was seen."""
    return OutboxPause.objects.filter(number=seen.number, until=seen.until)


def wait_of(retry_after: str | None) -> timedelta:
    """The duration of a Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=min(int(value[:10]), LONGEST.total_seconds()))
    else:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return DEFAULT
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - clock.now()
    return min(max(wait, timedelta(seconds=1)), LONGEST)
