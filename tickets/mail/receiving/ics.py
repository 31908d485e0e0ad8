"""Reads the first event of an invitation (RFC 5545, RFC 5546). Pure and linear.

Reads only the properties that a person needs. Does not expand recurrence rules, which may describe a million
days.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from icalendar import vDuration
from icalendar.parser import Contentline

from tickets.mail.receiving import ics_zones
from tickets.mail.receiving.ics_zones import Rule
from tickets.mail.receiving.limits import YEARS
from tickets.mail.receiving.plain_text import clean, one_line

MAX_CHARACTERS = 100_000  # that are read of a calendar
MAX_LINE = 8_000
MAX_RULES = 100  # of time zones
LONGEST = 300  # of a name or a place
LONGEST_WORDS = 5_000

FOLD = re.compile(r"\n[ \t]")
NAME = re.compile(r"([A-Za-z0-9-]{1,60})[;:]")
MOMENT = re.compile(r"(?P<parameters>[^\n]*):(?P<moment>\d{8}(?:T\d{6}Z?)?)")
ZONE = re.compile(r'(?i);TZID=(?:"([^"]{0,200})"|([^;"]{0,200}))')
NAMES = {
    "BEGIN", "END", "METHOD", "DTSTART", "DTEND", "DURATION", "SUMMARY", "LOCATION", "ORGANIZER", "RRULE",
    "STATUS", "RECURRENCE-ID", "ATTENDEE", "COMMENT", "DESCRIPTION", "X-MICROSOFT-CDO-ALLDAYEVENT", "TZID",
    "TZOFFSETTO",
}  # fmt: skip
RULES = ("STANDARD", "DAYLIGHT")
READ = ("VEVENT", *RULES)
LONGEST_EVENT = timedelta(days=1000)


@dataclass(frozen=True)
class Moment:
    """A time (naive if its zone is unknown), or a whole day."""

    at: datetime | date
    zone: str = ""  # the name of the zone in the message


@dataclass(frozen=True)
class CalendarEvent:
    method: str = ""  # of iTIP, like REQUEST
    summary: str = ""
    start: Moment | None = None
    end: Moment | None = None  # for whole days: the day after the last
    location: str = ""
    organizer: str = ""
    recurrence: dict[str, str] = field(default_factory=dict)
    is_cancelled: bool = False
    answer: str = ""  # of a REPLY, like ACCEPTED
    comment: str = ""
    description: str = ""


def event(text: str) -> CalendarEvent | None:
    """The first event; None if there is none, or if the calendar has many events and is no invitation."""
    method, events, zones = _components(text)
    if not events or (method in ("", "PUBLISH") and len(events) > 1):
        return None
    # An event with RECURRENCE-ID is an exception of a series; prefer the event without it.
    lines = next((lines for lines in events if "RECURRENCE-ID" not in lines), events[0])
    start = _moment(lines.get("DTSTART", ""), zones)
    end = _moment(lines.get("DTEND", ""), zones) or _after(start, lines.get("DURATION", ""))
    if "TRUE" in lines.get("X-MICROSOFT-CDO-ALLDAYEVENT", "").upper():
        start, end = _day(start), _day(end)
    if end and start and type(end.at) is not type(start.at):
        end = None
    return CalendarEvent(
        method=method,
        summary=_text(lines, "SUMMARY", LONGEST),
        start=start,
        end=end,
        location=_text(lines, "LOCATION", LONGEST),
        organizer=_person(lines.get("ORGANIZER", "")),
        recurrence=_rule(lines.get("RRULE", "")),
        is_cancelled=method == "CANCEL" or _text(lines, "STATUS", 20).upper() == "CANCELLED",
        answer=_parts(lines.get("ATTENDEE", ""))[0].get("PARTSTAT", "").upper(),
        comment=_text(lines, "COMMENT", LONGEST_WORDS),
        description=clean(_parts(lines.get("DESCRIPTION", ""))[1])[:LONGEST_WORDS].strip(),
    )


def _components(text: str) -> tuple[str, list[dict[str, str]], dict[str, list[Rule]]]:
    """The method, the properties of each event, and the rules of each time zone."""
    method, zone_name = "", ""
    events: list[dict[str, str]] = []
    zones: dict[str, list[Rule]] = {}
    opened: list[str] = []
    lines: dict[str, str] = {}
    for name, line in _lines(text):
        inner = opened[-1] if opened else ""
        if name == "BEGIN":
            opened.append(line[6:].strip().upper())
            if opened[-1] in READ:
                lines = {}
            if opened[-1] == "VEVENT":
                events.append(lines)
        elif name == "END" and opened:
            opened.pop()
            if inner in RULES and len(rules := zones.setdefault(zone_name, [])) < MAX_RULES:
                rules += _zone_rule(lines)
        elif name == "METHOD" and len(opened) <= 1:
            method = line[7:].strip().upper()[:20]
        elif name == "TZID" and inner == "VTIMEZONE":
            zone_name = _parts(line)[1].strip()
        elif inner in READ:
            lines.setdefault(name, line)
    return method, events, zones


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Pairs (name, unfolded line) of the properties in NAMES."""
    for line in FOLD.sub("", clean(text[:MAX_CHARACTERS])).split("\n"):
        found = NAME.match(line)
        if found and (name := found[1].upper()) in NAMES:
            yield name, line[:MAX_LINE]


def _parts(line: str) -> tuple[dict[str, str], str]:
    """The parameters and the value of a property."""
    try:
        _name, parameters, value = Contentline(line).parts()
    except ValueError:
        return {}, line.partition(":")[2]
    return {key: one if isinstance(one, str) else one[0] for key, one in parameters.items()}, value


def _text(lines: dict[str, str], name: str, limit: int) -> str:
    return one_line(_parts(lines.get(name, ""))[1], limit)


def _person(line: str) -> str:
    """Name and address of a person, as far as known."""
    parameters, value = _parts(line)
    address = value[7:] if value.lower().startswith("mailto:") else ""
    name, address = one_line(parameters.get("CN", ""), LONGEST), one_line(address, LONGEST)
    return f"{name} ({address})" if name and address and name != address else name or address


def _moment(line: str, zones: dict[str, list[Rule]]) -> Moment | None:
    """Parses a time without the library, because programs do not quote zone names that contain a colon."""
    found = MOMENT.fullmatch(line.strip())
    if not found:
        return None
    named = ZONE.search(found["parameters"])
    name = one_line(named[1] or named[2] or "", LONGEST) if named else ""
    try:
        if "T" not in found["moment"]:
            moment = datetime.strptime(found["moment"], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
        else:
            moment = datetime.strptime(found["moment"][:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - it follows
    except ValueError:
        return None
    if moment.year not in YEARS:
        return None
    if not isinstance(moment, datetime):
        return Moment(moment)
    known = UTC if found["moment"].endswith("Z") else ics_zones.zone(name, zones.get(name, []), moment)
    return Moment(moment.replace(tzinfo=known), name)


def _after(start: Moment | None, line: str) -> Moment | None:
    """The end of an event with a duration."""
    try:
        span = vDuration.from_ical(_parts(line)[1])
        # Adds to the local time (RFC 5545, 3.3.6 adds to UTC, but no meeting spans a clock change).
        return Moment(start.at + span, start.zone) if start and timedelta() < span < LONGEST_EVENT else None
    except (ValueError, OverflowError):
        return None


def _day(moment: Moment | None) -> Moment | None:
    return Moment(moment.at.date()) if moment and isinstance(moment.at, datetime) else moment


def _rule(line: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in line.partition(":")[2].upper().split(";")[:20])
    return {name.strip(): value.strip()[:100] for name, _sign, value in pairs}


def _zone_rule(lines: dict[str, str]) -> list[Rule]:
    """The rule of a time zone as a list; empty if it is incomplete."""
    since = MOMENT.fullmatch(lines.get("DTSTART", ""))
    offset = ics_zones.offset(lines.get("TZOFFSETTO", "").partition(":")[2])
    try:
        at = datetime.strptime(since["moment"][:15], "%Y%m%dT%H%M%S") if since else None  # noqa: DTZ007
    except ValueError:
        at = None
    return [Rule(at, offset, _rule(lines.get("RRULE", "")))] if at and offset is not None else []
