"""When a person wants an email: immediately, in the daily digest, after do-not-disturb. Applied to a new row.

Uses the person's time zone, and compares in UTC: when clocks change, two moments can have the same local
time.
"""

from datetime import UTC, datetime, time, timedelta

from tickets.models import MailPreferences

DAY = timedelta(days=1)
Wish = MailPreferences.Wish


def of(person) -> MailPreferences:
    """Returns the person's preferences; by default all email immediately."""
    return getattr(person, "mail_preferences", None) or MailPreferences(person=person)


def wish(person, kind: str) -> str:
    return getattr(of(person), kind)


def next_digest(person, now: datetime) -> datetime:
    """Returns when the person's next daily digest is sent."""
    today = now.astimezone(person.zone).date()
    moment = _at(person, today, of(person).digest_at)
    return moment if moment > now else _at(person, today + DAY, of(person).digest_at)


def after_quiet_hours(person, moment: datetime) -> datetime:
    """Returns `moment`, or the end of the quiet hours if it lies within them."""
    start, end = of(person).quiet_from, of(person).quiet_until
    if start is None or start == end:
        return moment
    local = moment.astimezone(person.zone)
    clock, is_overnight = local.time(), start > end
    is_quiet = (clock >= start or clock < end) if is_overnight else start <= clock < end
    if not is_quiet:
        return moment
    ends_tomorrow = is_overnight and clock >= start
    return max(moment, _at(person, local.date() + (DAY if ends_tomorrow else timedelta()), end))


def _at(person, day, clock: time) -> datetime:
    return datetime.combine(day, clock, tzinfo=person.zone).astimezone(UTC)
