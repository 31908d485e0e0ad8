"""Describes an invitation as text: what, when, where, who."""

import re
from datetime import UTC, date, datetime, timedelta

from django.utils.dateformat import format as date_format
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.mail.receiving.ics import LONGEST, CalendarEvent, Moment
from tickets.mail.receiving.ics_zones import DAYS
from tickets.mail.receiving.plain_text import one_line
from tickets.mail.receiving.winmail import Item

DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
# Message classes of Outlook in winmail.dat, with method and answer.
MEETINGS = {
    "ipm.schedule.meeting.request": ("REQUEST", ""),
    "ipm.schedule.meeting.canceled": ("CANCEL", ""),
    "ipm.schedule.meeting.resp.pos": ("REPLY", "ACCEPTED"),
    "ipm.schedule.meeting.resp.neg": ("REPLY", "DECLINED"),
    "ipm.schedule.meeting.resp.tent": ("REPLY", "TENTATIVE"),
}


def words(event: CalendarEvent) -> str:
    """The text for a ticket. Times have a UTC offset, so that the page can add the reader's own time."""
    lines = [_heading(event)]
    if event.start:
        lines.append(_("When: %(when)s") % {"when": _when(event.start, event.end)})
    if event.recurrence.get("FREQ"):
        lines.append(_("Repeats: %(how)s") % {"how": _repeats(event.recurrence)})
    if event.location:
        lines.append(_("Where: %(place)s") % {"place": event.location})
    if event.organizer:
        lines.append(_("Organizer: %(person)s") % {"person": event.organizer})
    if event.comment:
        lines.append(_("Comment: %(comment)s") % {"comment": event.comment})
    return "\n".join(lines)


def _heading(event: CalendarEvent) -> str:
    what = {"what": event.summary or _("(no title)")}
    if event.is_cancelled:
        return _("Cancelled: %(what)s") % what
    if event.method == "REPLY":
        answers = {
            "ACCEPTED": _("Accepted: %(what)s"),
            "DECLINED": _("Declined: %(what)s"),
            "TENTATIVE": _("Tentatively accepted: %(what)s"),
        }
        return answers.get(event.answer, _("Reply to the invitation: %(what)s")) % what
    if event.method == "COUNTER":
        return _("New time proposed: %(what)s") % what
    return (_("Event: %(what)s") if event.method in ("", "PUBLISH") else _("Invitation: %(what)s")) % what


def _when(start: Moment, end: Moment | None) -> str:
    first, last = start.at, end.at if end else None
    if not isinstance(first, datetime):
        last = last - timedelta(days=1) if last else first
        days = _day(first) if last <= first else f"{_day(first)} - {_day(last)}"
        return _("%(days)s, all day") % {"days": days}
    if last and first.tzinfo and last.tzinfo:
        last = last.astimezone(first.tzinfo)
    elif last and (first.tzinfo or last.tzinfo):
        last = None
    times = f"{_day(first)} {first:%H:%M}"
    if last and last.replace(tzinfo=None) > first.replace(tzinfo=None):
        is_same_day = last.date() == first.date()
        times += f"-{last:%H:%M}" if is_same_day else f" - {_day(last)} {last:%H:%M}"
    return f"{times} {_zone(first, start.zone)}"


def _zone(moment: datetime, name: str) -> str:
    if moment.tzinfo is None:
        return f"({name})" if name else _("(local time)")
    if moment.tzinfo is UTC:
        return "UTC"
    # Without a prefix that some programs add
    key = getattr(moment.tzinfo, "key", "")
    name = key if key and name.endswith(key) else name
    offset = f"{moment:%z}"
    return f"UTC{offset[:3]}:{offset[3:5]}" + (f" ({name})" if name else "")


def _day(day: date) -> str:
    return date_format(day, "D j M Y")


def _repeats(rule: dict[str, str]) -> str:
    number = _count(rule.get("INTERVAL", "")) or 1
    parts = [_unit(rule["FREQ"], number), _on(rule)]
    text = " ".join(filter(None, parts))
    if times := _count(rule.get("COUNT", "")):
        text += ", " + ngettext("%(count)d time", "%(count)d times", times) % {"count": times}
    try:
        until = datetime.strptime(rule.get("UNTIL", "")[:8], "%Y%m%d")  # noqa: DTZ007 - only the day counts
    except ValueError:
        return text
    return text + ", " + _("until %(day)s") % {"day": _day(until)}


def _unit(frequency: str, number: int) -> str:
    every = {
        "DAILY": ngettext("every day", "every %(count)d days", number),
        "WEEKLY": ngettext("every week", "every %(count)d weeks", number),
        "MONTHLY": ngettext("every month", "every %(count)d months", number),
        "YEARLY": ngettext("every year", "every %(count)d years", number),
        "HOURLY": ngettext("every hour", "every %(count)d hours", number),
    }
    return every.get(frequency, _("more than once")) % {"count": number}


def _on(rule: dict[str, str]) -> str:
    """The days of the week or month."""
    places = {
        "1": _("first"), "2": _("second"), "3": _("third"), "4": _("fourth"), "5": _("fifth"),
        "-1": _("last"),
    }  # fmt: skip
    names = []
    for nth, day in DAY.findall(rule.get("BYDAY", "")):
        place = places.get((nth or rule.get("BYSETPOS", "")).lstrip("+"), "")
        name = str(WEEKDAYS_ABBR[DAYS.index(day)])
        names.append(_("the %(nth)s %(day)s") % {"nth": place, "day": name} if place else name)
    if names:
        return _("on %(days)s") % {"days": ", ".join(names)}
    day = _count(rule.get("BYMONTHDAY", ""))
    return _("on day %(number)d") % {"number": day} if day else ""


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= 4 else 0


def of_item(item: Item) -> CalendarEvent | None:
    """The invitation in a winmail.dat; None if it contains none."""
    if item.kind.lower() not in MEETINGS or not item.starts_at:
        return None
    method, answer = MEETINGS[item.kind.lower()]
    return CalendarEvent(
        method=method,
        summary=one_line(item.subject, LONGEST),
        start=Moment(item.starts_at),
        end=Moment(item.ends_at) if item.ends_at else None,
        location=one_line(item.location, LONGEST),
        organizer=one_line(item.sender[0], LONGEST) if method != "REPLY" else "",
        is_cancelled=method == "CANCEL",
        answer=answer,
    )
