"""Makes every timestamp of the database safe to read, to show in any time zone, and to calculate with.

PostgreSQL stores 4713 BC, the year 294276 and infinity; SQLite stores any text. Python supports the years 1
to 9999, and raises OverflowError near both ends when it converts to another time zone. The "empty" date of
many systems, 0001-01-01, is near the end. Values outside of Python's range become its first or last moment.
"""

from datetime import UTC, date, datetime, timedelta
from sqlite3 import register_converter

from django.db import connection
from django.utils.dateparse import parse_date, parse_datetime

# Between these moments no time zone and no timedelta of this project leads out of Python's range.
FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TIMESTAMP_WITH_ZONE, DATE = 1184, 1082  # PostgreSQL's type OIDs


class FarMoment(datetime):
    """A moment near an end of Python's range. Calculations stop at the end and raise no OverflowError."""

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
    """The same moment, as a FarMoment if it is near an end of Python's range."""
    first, last = (FIRST, LAST) if moment.tzinfo else (FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None))
    return moment if first <= moment <= last else far(moment, moment.tzinfo)


def read(text: str) -> datetime:
    """Parses a moment in SQLite's format or ISO 8601. Invalid text becomes the earliest moment."""
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
    """Registers converters with the database driver. They replace those of Django."""
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
