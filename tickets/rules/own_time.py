"""Adds the reader's local time to the time of an invitation that arrived by email."""

import re
from datetime import datetime, timedelta, timezone, tzinfo

from django.utils.dateformat import format as date_format
from django.utils.html import escape
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY = rf"[A-Z][a-z]{{2}} (\d{{1,2}} (?:{'|'.join(MONTHS)}) \d{{4}})"
# "Tue 25 Aug 2026 10:00-11:00 UTC+02:00", as invitations.words() writes it
MOMENT = re.compile(
    rf"(?m)^When: {DAY} (\d\d:\d\d)(?:-(\d\d:\d\d)| - {DAY} (\d\d:\d\d))? UTC(?:([+-])(\d\d):(\d\d))?"
)
MOST = 20  # in one text


def with_own_time(html: str) -> str:
    """Adds the reader's time to the lines "When: ..." of `html`, if the reader is in another time zone."""
    return MOMENT.sub(_with_own_moment, html, count=MOST) if "When: " in html else html


def _with_own_moment(found: re.Match[str]) -> str:
    day, time, end_time, end_day, late_time, sign, hours, minutes = found.groups()
    span = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-span if sign == "-" else span)
        start = _moment(day, time, zone)
        end = _moment(end_day or day, late_time or end_time, zone) if end_time or late_time else None
        own = start.astimezone(get_current_timezone())
        own_end = end.astimezone(own.tzinfo) if end else None
    except (ValueError, OverflowError):
        return found[0]
    if own.utcoffset() == start.utcoffset():
        return found[0]
    return f"{found[0]} ({escape(_('%(when)s your time') % {'when': _words(own, own_end, start)})})"


def _moment(day: str, time: str, zone: tzinfo) -> datetime:
    number, month, year = day.split()
    hour, minute = time.split(":")
    return datetime(int(year), MONTHS.index(month) + 1, int(number), int(hour), int(minute), tzinfo=zone)


def _words(start: datetime, end: datetime | None, written: datetime) -> str:
    """Formats a time. Leaves out the day if it is the day that is written before."""
    day = "" if start.date() == written.date() else f"{_day(start)} "
    words = f"{day}{start:%H:%M}"
    if end is None:
        return words
    return f"{words}-{end:%H:%M}" if end.date() == start.date() else f"{words} - {_day(end)} {end:%H:%M}"


def _day(moment: datetime) -> str:
    return date_format(moment, "D j M Y")
