"""The whole outbox waits when the provider throttles, refuses our key or does not answer.

All workers share one row (OutboxPause), by the clock of the database. A pause ends with a trial: when its
time is over, one worker sends one mail, and what comes of it ends the pause or begins another.
"""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.db.models import F, Q

from helpdesk import clock
from tickets.models import OutboxPause
from tickets.models.outbox_pause import LONGEST

logger = logging.getLogger(__name__)
Reason = OutboxPause.Reason
DEFAULT = timedelta(minutes=1)
KEY_PAUSE = timedelta(minutes=5)
SILENT_PAUSE = timedelta(minutes=5)
MOST_UNANSWERED = 3  # attempts in a row, of all workers together
TRIAL = timedelta(minutes=1)  # longer than one mail takes; then its worker is dead


def state() -> OutboxPause:
    return OutboxPause.objects.first() or OutboxPause()


def is_on() -> bool:
    return state().is_on(clock.now())


def reason() -> str:
    """Why the outbox pauses (OutboxPause.Reason), known until a mail was tried; empty where it does not."""
    return state().reason


def begin(period: timedelta, reason: Reason, *, seen: OutboxPause) -> datetime:
    """Pauses the outbox for `period`, unless another worker was told of a longer pause. Returns the end.

    `seen` is the state in which the mail was sent.
    """
    end = clock.now() + period
    is_shorter = Q(until=seen.until) | Q(until=None) | Q(until__lt=end) | Q(until__gt=end + LONGEST)
    OutboxPause.objects.bulk_create([OutboxPause()], ignore_conflicts=True)
    OutboxPause.objects.filter(is_shorter).update(until=end, reason=reason)
    return end


def take_trial(seen: OutboxPause) -> bool:
    """Lets one worker send one mail after a pause; `seen` becomes its trial. False: another has the trial."""
    until = clock.now() + TRIAL
    is_ours = bool(OutboxPause.objects.filter(until=seen.until).update(until=until))
    if is_ours:
        seen.until = until
    return is_ours


def answered(seen: OutboxPause, *, takes_mail: bool) -> None:
    """The provider answered. Ends the pause whose trial this mail was, unless the reason may still hold."""
    if not takes_mail and seen.reason not in ("", Reason.SILENT):
        return
    if seen.until or seen.unanswered:
        OutboxPause.objects.filter(until=seen.until).update(until=None, reason="", unanswered=0)


def unanswered(seen: OutboxPause) -> None:
    """The provider did not answer: after MOST_UNANSWERED attempts in a row the outbox pauses."""
    OutboxPause.objects.bulk_create([OutboxPause()], ignore_conflicts=True)
    OutboxPause.objects.update(unanswered=F("unanswered") + 1)
    count = state().unanswered
    if count >= MOST_UNANSWERED:
        logger.error("The email provider did not answer %s times in a row. All email waits.", count)
        begin(SILENT_PAUSE, Reason.SILENT, seen=seen)


def asked_for(retry_after: str | None) -> timedelta:
    """The wait that a Retry-After header asks for: seconds or a date (RFC 9110, 10.2.3)."""
    value = (retry_after or "").strip()
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=min(int(value), LONGEST.total_seconds()))
    else:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return DEFAULT
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - clock.now()
    return min(max(wait, timedelta(seconds=1)), LONGEST)
