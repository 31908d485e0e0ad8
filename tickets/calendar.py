"""Working days and hours. Pure: what the working week is stands in the settings."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

DAY = timedelta(days=1)


def today() -> date:
    """By the helpdesk's clock, whatever the zone of the person who asks."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def is_working_day(day: date) -> bool:
    return day.weekday() in settings.WORKING_DAYS


def add_working_days(moment: datetime, days: int) -> datetime:
    """`days` working days later (negative: earlier), at the same time by the helpdesk's clock."""
    zone = timezone.get_default_timezone()
    local = moment.astimezone(zone)
    step = 1 if days > 0 else -1
    day = local.date()
    for _number in range(abs(days)):
        day += step * DAY
        while not is_working_day(day):
            day += step * DAY
    return datetime.combine(day, local.time(), tzinfo=zone).astimezone(moment.tzinfo)


def working_seconds(start: datetime, end: datetime) -> int:
    """Seconds of working time between two moments, by the helpdesk's clock; negative where `end` is earlier.

    tickets.reports.worktime says the same in SQL.
    """
    return _worked(end) - _worked(start)


# A Monday from which weeks are counted.
ORIGIN = date(2001, 1, 1)


def _worked(moment: datetime) -> int:
    """Working seconds since ORIGIN."""
    working_days, (opens, closes) = settings.WORKING_DAYS, settings.WORKING_HOURS
    local = moment.astimezone(timezone.get_default_timezone())
    weeks, weekday = divmod(local.toordinal() - ORIGIN.toordinal(), 7)
    of_day = local.hour * 3600 + local.minute * 60 + local.second
    today = min(max(of_day - opens, 0), closes - opens) if weekday in working_days else 0
    days = weeks * len(working_days) + sum(day < weekday for day in working_days)
    return days * (closes - opens) + today
