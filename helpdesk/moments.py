"""Every moment that a row may hold can be read, shown in any time zone, and reckoned with.

PostgreSQL keeps 4713 BC, the year 294276 and infinity, SQLite any text. Python knows the years 1 to 9999, and
fails over the first and the last days of them as soon as a zone moves them. The "empty" date of many systems,
0001-01-01, is one of these. What Python does not know is read as its first or its last moment.
"""

from datetime import UTC, date, datetime, timedelta
from sqlite3 import register_converter

from django.db import connection
from django.utils.dateparse import parse_date, parse_datetime

# Between these a zone and every span that is added here (workflow, calendar) lead to a moment that there is.
FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TIMESTAMP_WITH_ZONE, DATE = 1184, 1082  # as PostgreSQL numbers its types


class FarMoment(datetime):
    """A moment near the ends of what Python knows, where it stays when something would move it past them."""

    def astimezone(self, tz=None):
        try:
            return super().astimezone(tz)
        except OverflowError:
            return self.replace(tzinfo=tz)

    def __add__(self, span):
        try:
            return super().__add__(span)
        except OverflowError:
            return far(LATEST if span > timedelta() else EARLIEST, self.tzinfo)

    __radd__ = __add__

    def __sub__(self, other):
        return self + -other if isinstance(other, timedelta) else super().__sub__(other)


def far(moment: datetime, zone=UTC) -> FarMoment:
    return FarMoment.combine(moment.date(), moment.time(), zone)


def safe(moment: datetime) -> datetime:
    """The same moment, such that no zone and no span breaks it."""
    first, last = (FIRST, LAST) if moment.tzinfo else (FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None))
    return moment if first <= moment <= last else far(moment, moment.tzinfo)


def read(text: str) -> datetime:
    """A moment as SQLite or ISO 8601 writes it. What is none counts as the first of all."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    return safe(moment) if moment else far(EARLIEST, None)


def read_day(text: str) -> date:
    try:
        return parse_date(text) or date.min
    except ValueError:
        return date.min


def register() -> None:
    """Tells the driver of the database how to read, after Django has told it."""
    if connection.vendor == "sqlite":
        register_converter("datetime", lambda value: read(value.decode()))
        register_converter("date", lambda value: read_day(value.decode()))
    elif connection.vendor == "postgresql":
        extensions = connection.Database.extensions

        def moment(text: str | None, cursor) -> datetime | None:
            try:
                return text and safe(extensions.PYDATETIMETZ(text, cursor))
            except (ValueError, OverflowError):
                return far(EARLIEST if text.endswith("BC") else LATEST)

        def day(text: str | None, cursor) -> date | None:
            try:
                return text and extensions.PYDATE(text, cursor)
            except (ValueError, OverflowError):
                return date.min if text.endswith("BC") else date.max

        extensions.register_type(extensions.new_type((TIMESTAMP_WITH_ZONE,), "MOMENT", moment))
        extensions.register_type(extensions.new_type((DATE,), "DAY", day))
