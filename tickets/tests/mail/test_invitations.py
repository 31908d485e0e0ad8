"""An invitation says in the text what, when, where and who; its file stays."""

import base64

import pytest

from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler, ics, invitations
from tickets.mail.receiving.parsing import parse
from tickets.models import Comment
from tickets.tests import tnef
from tickets.tests.factories import make_ticket
from tickets.tests.work import is_linear, work

HEAD = b"Authentication-Results: mx.example.net; dmarc=pass\r\nFrom: alice@example.com\r\n"
OUTLOOK = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
FIXED = """BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0530
TZOFFSETTO:+0530
END:STANDARD
END:VTIMEZONE
"""


def calendar(*lines: str, method: str = "REQUEST", zones: str = "", events: int = 1) -> str:
    event = "\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])
    head = f"BEGIN:VCALENDAR\n{f'METHOD:{method}' if method else 'VERSION:2.0'}\n{zones}"
    return head + "\n".join([event] * events) + "\nEND:VCALENDAR\n"


def said(*lines: str, **options) -> str:
    event = ics.event(calendar(*lines, **options))
    return invitations.words(event) if event else ""


def when(*lines: str, **options) -> str:
    return said("SUMMARY:x", *lines, **options).partition("When: ")[2].partition("\n")[0]


def mail(*parts: tuple[str, str], kind: str = "alternative") -> bytes:
    lines = [f"Content-Type: multipart/{kind}; boundary=b", ""]
    for head, content in parts:
        encoded = base64.encodebytes(content.encode()).decode()
        lines += ["--b", f"Content-Type: {head}", "Content-Transfer-Encoding: base64", "", encoded]
    return HEAD + "\r\n".join([*lines, "--b--", ""]).encode()


# When
@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["DTSTART:20260825T080000Z", "DTEND:20260825T090000Z"], "Tue 25 Aug 2026 08:00-09:00 UTC"),
        (["DTSTART:20260825T080000Z", "DURATION:PT1H30M"], "Tue 25 Aug 2026 08:00-09:30 UTC"),
        (["DTSTART:20260825T080000Z"], "Tue 25 Aug 2026 08:00 UTC"),
        (
            ["DTSTART;TZID=Europe/Berlin:20260825T220000", "DTEND;TZID=Europe/Berlin:20260826T010000"],
            "Tue 25 Aug 2026 22:00 - Wed 26 Aug 2026 01:00 UTC+02:00 (Europe/Berlin)",
        ),
        (
            ["DTSTART;TZID=W. Europe Standard Time:20260825T100000", "DURATION:PT1H"],
            "Tue 25 Aug 2026 10:00-11:00 UTC+02:00 (W. Europe Standard Time)",
        ),
        (
            ['DTSTART;TZID="Eastern Standard Time":20261225T100000'],
            "Fri 25 Dec 2026 10:00 UTC-05:00 (Eastern Standard Time)",
        ),
        (
            ["DTSTART;TZID=/mozilla.org/20050126_1/Europe/Berlin:20260825T100000"],
            "Tue 25 Aug 2026 10:00 UTC+02:00 (Europe/Berlin)",
        ),
        (
            ["DTSTART;TZID=Europe/Berlin:20260825T100000", "DTEND;TZID=America/New_York:20260825T060000"],
            "Tue 25 Aug 2026 10:00-12:00 UTC+02:00 (Europe/Berlin)",
        ),
        (["DTSTART:20260825T100000", "DTEND:20260825T110000"], "Tue 25 Aug 2026 10:00-11:00 (local time)"),
        (["DTSTART;TZID=Mars/Base:20260825T100000"], "Tue 25 Aug 2026 10:00 (Mars/Base)"),
        (
            ["DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin:20260825T100000"],
            "Tue 25 Aug 2026 10:00 ((UTC+01:00) Amsterdam, Berlin)",
        ),
        (["DTSTART;VALUE=DATE:20260825", "DTEND;VALUE=DATE:20260826"], "Tue 25 Aug 2026, all day"),
        (["DTSTART;VALUE=DATE:20260825"], "Tue 25 Aug 2026, all day"),
        (
            ["DTSTART;VALUE=DATE:20260825", "DTEND;VALUE=DATE:20260828"],
            "Tue 25 Aug 2026 - Thu 27 Aug 2026, all day",
        ),
        (
            ["X-MICROSOFT-CDO-ALLDAYEVENT:TRUE", "DTSTART:20260825T000000", "DTEND:20260826T000000"],
            "Tue 25 Aug 2026, all day",
        ),
        (["DTSTART:20260825T100000Z", "DTEND:20260825T090000Z"], "Tue 25 Aug 2026 10:00 UTC"),
        (["DTSTART:20260825T100000Z", "DTEND;VALUE=DATE:20260826"], "Tue 25 Aug 2026 10:00 UTC"),
        (["DTSTART:99999999T999999Z"], ""),
        (["DTSTART:00010101T000000Z"], ""),
        (["DTSTART;TZID=../../etc/passwd:20260825T100000"], "Tue 25 Aug 2026 10:00 (../../etc/passwd)"),
    ],
)
def test_moment_is_said_with_its_zone(lines, words):
    assert when(*lines) == words


@pytest.mark.parametrize(
    ("moment", "offset"),
    [
        ("20260825T100000", "+02:00"),
        ("20261225T100000", "+01:00"),
        ("20260328T235900", "+01:00"),
        ("20260329T030000", "+02:00"),
        ("20261025T020000", "+02:00"),
        ("20261025T030000", "+01:00"),
    ],
)
def test_zone_that_only_the_mail_knows_is_that_of_its_rules(moment, offset):
    assert f"UTC{offset} (Customized Time Zone)" in when(
        f"DTSTART;TZID=Customized Time Zone:{moment}", zones=OUTLOOK
    )


def test_zones_of_one_mail_are_not_those_of_the_next():
    """Each Outlook calls its own zone "Customized Time Zone"."""
    line = "DTSTART;TZID=Office:20260825T100000"
    assert "UTC+05:30" in when(line, zones=FIXED)
    assert "UTC-04:00" in when(line, zones=FIXED.replace("+0530", "-0400"))
    assert when(line) == "Tue 25 Aug 2026 10:00 (Office)"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=WEEKLY", "every week"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=10", "every 2 weeks on Tue, Thu, 10 times"),
        ("FREQ=DAILY;UNTIL=20261231T235959Z", "every day, until Thu 31 Dec 2026"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month on the second Tue"),
        ("FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1", "every month on the last Fri"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "every month on day 15"),
        ("FREQ=YEARLY", "every year"),
        ("freq=weekly;count=1", "every week, 1 time"),
        ("FREQ=SECONDLY;COUNT=99999999999", "more than once"),
        ("FREQ=WEEKLY;BYDAY=XX;INTERVAL=-1;UNTIL=x", "every week"),
    ],
)
def test_repetition_is_said_in_words(rule, words):
    assert f"\nRepeats: {words}" in said("SUMMARY:x", "DTSTART:20260825T080000Z", f"RRULE:{rule}")


# What, where, who
def test_all_lines_are_said():
    text = said(
        "SUMMARY;LANGUAGE=de:Besuch\\, ku",
        " rz",
        "LOCATION:Raum 12\\nHaus B",
        "DTSTART:20260825T080000Z",
        'ORGANIZER;CN="Weber, Ann":MAILTO:ann@example.com',
        "DESCRIPTION:not twice",
    )
    assert text == (
        "Invitation: Besuch, kurz\nWhen: Tue 25 Aug 2026 08:00 UTC\nWhere: Raum 12 Haus B\n"
        "Organizer: Weber, Ann (ann@example.com)"
    )


@pytest.mark.parametrize(
    ("method", "lines", "heading"),
    [
        ("REQUEST", [], "Invitation: x"),
        ("CANCEL", [], "Cancelled: x"),
        ("REQUEST", ["STATUS:CANCELLED"], "Cancelled: x"),
        ("REPLY", ["ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.c"], "Accepted: x"),
        ("REPLY", ["ATTENDEE;PARTSTAT=DECLINED;CN=A:mailto:a@b.c"], "Declined: x"),
        ("REPLY", ["ATTENDEE;PARTSTAT=TENTATIVE:mailto:a@b.c"], "Tentatively accepted: x"),
        ("REPLY", [], "Reply to the invitation: x"),
        ("COUNTER", [], "New time proposed: x"),
        ("PUBLISH", [], "Event: x"),
        ("", [], "Event: x"),
    ],
)
def test_heading_says_what_becomes_of_it(method, lines, heading):
    assert said("SUMMARY:x", *lines, method=method).splitlines()[0] == heading


def test_series_is_its_first_event_and_a_whole_calendar_is_no_invitation():
    single = "BEGIN:VEVENT\nRECURRENCE-ID:20260901T080000Z\nSUMMARY:moved\nEND:VEVENT\n"
    assert said("SUMMARY:x", zones=single) == "Invitation: x"
    assert said("SUMMARY:x", method="PUBLISH", events=2) == ""
    assert ics.event("BEGIN:VCALENDAR\nEND:VCALENDAR") is None
    assert ics.event("no calendar") is None


# In the mail
VISIT = calendar(
    "SUMMARY:Visit",
    "DTSTART:20260825T080000Z",
    "DTEND:20260825T090000Z",
    "LOCATION:Room 12",
    "DESCRIPTION:Please come.",
)
WORDS = "Invitation: Visit\nWhen: Tue 25 Aug 2026 08:00-09:00 UTC\nWhere: Room 12"


@pytest.mark.parametrize(
    "parts",
    [
        [("text/plain", "Please come."), ("text/calendar; method=REQUEST", VISIT)],
        [("text/calendar; method=REQUEST", VISIT), ("text/plain", "Please come.")],
        [("text/html", "<p>Please come.</p>"), ("text/calendar; method=REQUEST", VISIT)],
        [("text/plain", "Please come."), ("application/ics; name=invite.ics", VISIT)],
        [("text/plain", "Please come."), ("application/octet-stream; name=invite.ics", VISIT)],
        [
            ("text/plain", "Please come."),
            ("text/calendar", VISIT),
            ("application/ics; name=invite.ics", VISIT),
        ],
        [("text/calendar; method=REQUEST", VISIT)],
    ],
)
@pytest.mark.parametrize("kind", ["alternative", "mixed"])
def test_invitation_stands_in_the_text_and_stays_a_file(parts, kind):
    read = parse(mail(*parts, kind=kind))
    assert read.text == f"{WORDS}\n\nPlease come."
    assert [(file.name, file.content) for file in read.files] == [("invite.ics", VISIT.encode())]


def test_letters_are_those_of_the_charset():
    content = base64.encodebytes(calendar("SUMMARY:Grüße").encode("cp1252"))
    head = b"Content-Type: text/calendar; charset=windows-1252\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert parse(head + content).text == "Invitation: Grüße"


def test_meeting_in_winmail_is_an_invitation():
    start = 116444736000000000 + 1_787_644_800 * 10_000_000
    content = tnef.winmail(
        tnef.message(
            tnef.prop(tnef.UNICODE, 0x001A, "IPM.Schedule.Meeting.Request"),
            tnef.prop(tnef.UNICODE, 0x0037, "Visit"),
            tnef.prop(tnef.TIME, 0x0060, start),
            tnef.prop(tnef.TIME, 0x0061, start + 3600 * 10_000_000),
            tnef.named(tnef.UNICODE, 0x8208, "Room 12"),
            tnef.prop(tnef.UNICODE, 0x1000, "Please come."),
        )
    )
    head = b"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert parse(head + base64.encodebytes(content)).text == f"{WORDS}\n\nPlease come."


@pytest.mark.django_db
def test_answer_with_an_invitation_keeps_it_above_the_history(alice, settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"
    ticket = make_ticket(alice, subject="Visit")
    history = "Come at eight.\n\nOn Mon, 24 Aug 2026 at 10:00, Ann Weber <ann@example.com> wrote:\n> When?"
    raw = b"Subject: Re: Visit\r\n" + mail(("text/plain", history), ("text/calendar; method=REQUEST", VISIT))
    handler.receive(raw, route="command", recipient=reply_address(ticket.pk, alice.pk))
    comment = Comment.objects.get()
    assert comment.body == f"{WORDS}\n\nCome at eight."
    assert comment.attachments.get().name == "invite.ics"


# Hostile
@pytest.mark.parametrize(
    "piece",
    [
        "BEGIN:VEVENT\n", "BEGIN:VTIMEZONE\nBEGIN:STANDARD\n", "END:VEVENT\n", "SUMMARY:x\n", " x\n", "ATTENDEE;", ";", "\\", '"',
        "DTSTART;TZID=", OUTLOOK, "RRULE:FREQ=YEARLY;BYDAY=-1SU;", "TZID:x\n", "\\n", "X:y\n",
    ],
)  # fmt: skip
def test_twice_the_calendar_is_twice_the_work(piece):
    for head in ("", "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\n", "BEGIN:VEVENT\nRRULE:"):
        assert is_linear(lambda text: _read(text), lambda size, head=head: head + piece * size, 200)


def test_calendars_that_are_read_end():
    event = calendar("SUMMARY:x", *[f"ATTENDEE:mailto:{number}@b.c" for number in range(20_000)])
    assert work(_read, event * 10) < 200_000
    many = [("text/calendar", calendar(f"SUMMARY:{number}")) for number in range(50)]
    assert parse(mail(*many, kind="mixed")).text.count("Invitation: ") == 10


def _read(text: str) -> None:
    if event := ics.event(text):
        invitations.words(event)
