"""Time zones of invitations by the names that programs use. Pure and linear."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

KEY = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,2}")
OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?")
NTH_DAY = re.compile(r"([+-]?\d)(MO|TU|WE|TH|FR|SA|SU)")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Rule:
    """One offset of a VTIMEZONE, and since when it applies."""

    since: datetime  # naive
    offset: timedelta
    recurrence: dict[str, str]

    def last_onset(self, moment: datetime) -> datetime | None:
        """When the offset last started to apply before `moment`; None if it did not."""
        onsets = [self.since]
        for year in (moment.year - 1, moment.year):
            if (onset := self._onset(year)) and onset > self.since:
                onsets.append(onset)
        until = self.recurrence.get("UNTIL", "")[:8]
        past = [onset for onset in onsets if onset <= moment and (not until or f"{onset:%Y%m%d}" <= until)]
        return max(past, default=None)

    def _onset(self, year: int) -> datetime | None:
        """The start in a year, by a rule like "on the last Sunday of March"."""
        nth = NTH_DAY.fullmatch(self.recurrence.get("BYDAY", ""))
        month = self.recurrence.get("BYMONTH", "")
        if not nth or month not in map(str, range(1, 13)) or not int(nth[1]):
            return None
        number, weekday = int(nth[1]), DAYS.index(nth[2])
        first = self.since.replace(year=year, month=int(month), day=1)
        if number > 0:
            return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7 + 7 * (-number - 1))


def offset(text: str) -> timedelta | None:
    """Parses an offset like +0200."""
    found = OFFSET.fullmatch(text.strip())
    if not found or found[2] > "23" or found[3] > "59":
        return None
    span = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -span if found[1] == "-" else span


def zone(name: str, rules: list[Rule], moment: datetime) -> tzinfo | None:
    """The zone by its name, or else the offset by its rules at `moment`; None if both are unknown."""
    name = name.strip(' "/')
    parts = name.split("/")
    # Some programs add a prefix: /mozilla.org/20050126_1/Europe/Berlin
    for key in (name, WINDOWS_TO_OLSON.get(name, ""), "/".join(parts[-3:]), "/".join(parts[-2:])):
        if known := _known(key):
            return known
    onsets = [(onset, rule.offset) for rule in rules if (onset := rule.last_onset(moment))]
    if onsets:
        return timezone(max(onsets)[1])
    return timezone(rules[0].offset) if rules else None


def _known(key: str) -> tzinfo | None:
    if key.upper() in ("UTC", "GMT", "Z"):
        return UTC
    if not KEY.fullmatch(key):
        return None
    try:
        return ZoneInfo(key)
    except (LookupError, ValueError, OSError):
        return None
