"""When a meeting is that an invitation by mail names, in the time zone of whoever reads it."""

import pytest
from django.utils import timezone

from tickets.mail.receiving import ics, invitations
from tickets.rules.own_time import MOST
from tickets.templatetags.tickets_text import message_text
from tickets.tests.factories import make_ticket
from tickets.tests.work import is_linear

pytestmark = pytest.mark.usefixtures("db")
LINE = "When: Tue 25 Aug 2026 08:00-09:00 UTC"


def shown(text: str, zone: str, source: str = "email") -> str:
    with timezone.override(zone):
        html = message_text(text, source)
    return html.removeprefix('<div dir="auto">').removesuffix("</div>")


@pytest.mark.parametrize(
    ("words", "zone", "own"),
    [
        ("Tue 25 Aug 2026 08:00-09:00 UTC", "Europe/Berlin", "10:00-11:00"),
        ("Tue 25 Aug 2026 08:00 UTC", "Asia/Kolkata", "13:30"),
        (
            "Tue 25 Aug 2026 10:00-11:00 UTC+02:00", "America/New_York",
            "04:00-05:00",
        ),
        (
            "Tue 25 Aug 2026 20:00-21:00 UTC-05:00", "Asia/Tokyo",
            "Wed 26 Aug 2026 10:00-11:00",
        ),
        (
            "Tue 25 Aug 2026 21:00-23:00 UTC", "Europe/Berlin",
            "23:00 - Wed 26 Aug 2026 01:00",
        ),
        (
            "Tue 25 Aug 2026 22:00 - Wed 26 Aug 2026 01:00 UTC+02:00", "UTC",
            "20:00-23:00",
        ),
    ],
)  # fmt: skip
def test_reader_elsewhere_sees_the_own_time(words, zone, own):
    assert shown(f"When: {words}", zone) == f"When: {words} ({own} your time)"


def test_reader_in_the_same_zone_sees_the_time_once():
    words = "Tue 25 Aug 2026 10:00-11:00 UTC+02:00"
    line = f"When: {words} (W. Europe Standard Time)"
    assert shown(line, "Europe/Paris") == line
    assert "your time" in shown(f"When: {words}", "Europe/London")


@pytest.mark.parametrize(
    "text",
    [
        "When: Tue 25 Aug 2026, all day",
        "When: Tue 25 Aug 2026 10:00-11:00 (local time)",
        "When: Tue 99 Aug 2026 10:00 UTC",
        "When: Tue 25 Aug 2026 27:00 UTC",
        "When: Fri 31 Dec 9999 23:59 UTC-23:00",
        "I said: When: Tue 25 Aug 2026 08:00 UTC",
    ],
)
def test_what_is_no_moment_stays(text):
    assert shown(text, "Asia/Tokyo") == text


def test_what_was_typed_on_a_page_stays():
    assert shown(LINE, "Asia/Tokyo", source="web") == LINE


def test_words_of_an_invitation_are_the_ones_that_are_found():
    calendar = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:<b>\n{}\nEND:VEVENT\nEND:VCALENDAR"
    for line in (
        "DTSTART:20260825T080000Z\nDTEND:20260825T090000Z",
        "DTSTART;TZID=Europe/Berlin:20260801T080000\nDURATION:PT20H",
        "DTSTART;TZID=Asia/Kolkata:20260825T080000",
    ):
        html = shown(invitations.words(ics.event(calendar.format(line))), "Pacific/Auckland")
        assert html.startswith("Invitation: &lt;b&gt;\nWhen: ")
        assert html.count("your time)") == 1


def test_moments_end():
    assert shown("\n".join([LINE] * 500), "Asia/Tokyo").count("your time") == MOST
    for piece in ("When: ", LINE + "\n", "When: Tue 25 Aug 2026 08:00"):
        assert is_linear(lambda text: shown(text, "Asia/Tokyo"), lambda size, piece=piece: piece * size, 150)


def test_page_of_the_ticket_shows_it(client_of, alice):
    alice.time_zone = "Asia/Tokyo"
    alice.save()
    ticket = make_ticket(alice, description=f"Invitation: Visit\n{LINE}")
    type(ticket).objects.filter(pk=ticket.pk).update(source="email")
    page = client_of(alice).get(ticket.get_absolute_url()).content.decode()
    assert "08:00-09:00 UTC (17:00-18:00 your time)" in page


@pytest.mark.parametrize(
    ("words", "zone", "own"),
    [
        ("Tue 25 Aug 2026 08:00-09:00 UTC", "Asia/Tokyo", "17:00-18:00"),
        (
            "Tue 25 Aug 2026 08:00 - Wed 26 Aug 2026 09:00 UTC",
            "Asia/Tokyo",
            "17:00 - Wed 26 Aug 2026 18:00",
        ),
        (
            "Tue 25 Aug 2026 14:00-16:00 UTC",
            "Asia/Tokyo",
            "23:00 - Wed 26 Aug 2026 01:00",
        ),
    ],
)
def test_day_of_the_end_is_said_where_it_is_another(words, zone, own):
    assert shown(f"When: {words}", zone) == f"When: {words} ({own} your time)"
