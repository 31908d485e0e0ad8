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
