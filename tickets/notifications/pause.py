"""The whole outbox waits when the provider says so; all workers see it (the cache is shared)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.core.cache import cache
from django.utils import timezone

KEY = "outbox.paused"
DEFAULT = timedelta(minutes=1)
LONGEST = timedelta(hours=1)
# The reason of a pause is known a little longer than it lasts: until the next mail was tried.
REMEMBERED = timedelta(minutes=1)


def begin(period: timedelta, *, is_refused: bool = False) -> datetime:
    """Pauses the outbox for `period`; returns the end. `is_refused`: the provider does not take our key."""
    end = timezone.now() + period
    kept = round((period + REMEMBERED).total_seconds())
    cache.set(KEY, (end.timestamp(), is_refused), timeout=kept)
    return end


def is_on() -> bool:
    end, _is_refused = cache.get(KEY, (0, False))
    return timezone.now().timestamp() < end


def is_refused() -> bool:
    _end, is_refused = cache.get(KEY, (0, False))
    return is_refused


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
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - timezone.now()
    return min(max(wait, timedelta(seconds=1)), LONGEST)
