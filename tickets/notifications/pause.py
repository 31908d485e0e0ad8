"""The whole outbox waits when the provider says so; all workers see it (the cache is shared)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.core.cache import cache
from django.utils import timezone

KEY = "outbox.pause"
DEFAULT = timedelta(minutes=1)
LONGEST = timedelta(hours=1)


def begin(period: timedelta) -> datetime:
    """Pauses the outbox for `period`; returns the end."""
    end = timezone.now() + period
    cache.set(KEY, end.timestamp(), timeout=round(period.total_seconds()) + 1)
    return end


def is_on() -> bool:
    end = cache.get(KEY)
    return end is not None and timezone.now().timestamp() < end


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
