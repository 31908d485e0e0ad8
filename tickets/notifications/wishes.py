"""When a person wants mail: at once, with the daily one, after the quiet hours. Asked when a row is made.

All by the clock of the person's own time zone, and compared in UTC: on the days when clocks are set, two
moments of one zone can't be told apart by their hours.
"""

from datetime import UTC, datetime, time, timedelta

from tickets.models import MailPreferences

DAY = timedelta(days=1)
Wish = MailPreferences.Wish


def of(person) -> MailPreferences:
    """What the person has chosen; without a choice all mail at once."""
    return getattr(person, "mail_preferences", None) or MailPreferences(person=person)


def wish(person, kind: str) -> str:
    return getattr(of(person), kind)


def next_digest(person, now: datetime) -> datetime:
    """When the next daily mail of the person leaves."""
    today = now.astimezone(person.zone).date()
    moment = _at(person, today, of(person).digest_at)
    return moment if moment > now else _at(person, today + DAY, of(person).digest_at)


def after_quiet_hours(person, moment: datetime) -> datetime:
    """`moment`, or the end of the quiet hours where it lies in them."""
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
