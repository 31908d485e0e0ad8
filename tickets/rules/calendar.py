"""Working days and hours. Pure: the settings define the working week."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

DAY = timedelta(days=1)


def today() -> date:
    """Returns the date in the helpdesk's time zone, whatever the zone of the reader."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def monday_of(day: date) -> date:
    """Returns the first day of the week of `day`."""
    return day - day.weekday() * DAY


def is_working_day(day: date) -> bool:
    return day.weekday() in settings.WORKING_DAYS


def add_working_days(moment: datetime, days: int) -> datetime:
    """Returns the moment `days` working days later (negative: earlier), at the same local time of the
    helpdesk.
    """
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
    """Returns the seconds of working time between two moments; negative if `end` is earlier.

    Uses the helpdesk's time zone. tickets.reports.worktime computes the same in SQL.
    """
    return _worked(end) - _worked(start)


# The Monday from which weeks are counted.
ORIGIN = date(2001, 1, 1)


def _worked(moment: datetime) -> int:
    """Returns the working seconds since ORIGIN."""
    working_days, (opens, closes) = settings.WORKING_DAYS, settings.WORKING_HOURS
    local = moment.astimezone(timezone.get_default_timezone())
    weeks, weekday = divmod(local.toordinal() - ORIGIN.toordinal(), 7)
    of_day = local.hour * 3600 + local.minute * 60 + local.second
    today = min(max(of_day - opens, 0), closes - opens) if weekday in working_days else 0
    days = weeks * len(working_days) + sum(day < weekday for day in working_days)
    return days * (closes - opens) + today
