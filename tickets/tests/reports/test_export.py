"""Export as CSV: exactly the filtered rows, safe cells, no internal note unless asked for by who may."""

import csv
import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from helpdesk.csv_files import safe, unsafe
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.admin.ticket.ticket import TicketAdmin
from tickets.management.importing.table import FIELDS, MORE
from tickets.models import Ticket
from tickets.reports.export import COLUMNS, ticket_lines
from tickets.rules.calendar import DAY
from tickets.rules.waiting import Wait
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
URL = "/admin/tickets/ticket/export/"


def rows(response) -> list[dict]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def subjects(response) -> list[str]:
    return [row["subject"] for row in rows(response)]


def test_exactly_the_filtered_and_searched_rows_are_exported(client_of, sam, alice):
    make_ticket(alice, subject="Printer", priority="urgent")
    make_ticket(alice, subject="Mail", priority="urgent")
    make_ticket(alice, subject="Printer too")
    make_ticket(alice, subject="Printer done", priority="urgent", phase="done")
    client = client_of(sam)
    found = f"{URL}?who=all&priority=urgent&q=printer"
    assert subjects(client.get(found)) == ["Printer", "Printer done"]
    assert subjects(client.get(f"{found}&phase=open")) == ["Printer"]
    everything = subjects(client.get(f"{URL}?who=all&phase=all"))
    assert everything == ["Printer", "Mail", "Printer too", "Printer done"]
    assert subjects(client.get(f"{URL}?who=all&phase=all&priority=low")) == []


def test_queue_links_to_its_own_export(client_of, sam, ann, alice):
    make_ticket(alice)
    content = client_of(sam).get("/admin/tickets/ticket/?priority=high").content.decode()
    assert f'href="{URL}?priority=high"' in content
    assert URL not in client_of(ann).get("/admin/tickets/ticket/").content.decode()


def test_export_has_no_pages(client_of, sam, alice, monkeypatch):
    """I1: a page that the list does not have is no matter here."""
    monkeypatch.setattr(TicketAdmin, "list_per_page", 1)
    for _number in range(2):
        make_ticket(alice)
    for page in ("0", "2", "9", "x"):
        assert len(rows(client_of(sam).get(URL, {"who": "all", "p": page}))) == 2


WIDE = ["\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)"]


@pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("excel", ";")])
@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", *WIDE])
def test_no_cell_is_a_formula(client_of, sam, alice, cell, form, delimiter):
    """THREATS 18."""
    make_ticket(alice, subject=cell, description=f'{cell}\n"quoted", comma; semicolon')
    response = client_of(sam).get(f"{URL}?who=all&format={form}")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    assert row["subject"] == f"'{cell}"
    assert row["description"].startswith(f"'{cell}")
    assert all(line.startswith('"') for line in text.splitlines()[:1])


@pytest.mark.parametrize("start", ["=", "\t=", "\r=", "\n=", "'=", "'\uff1d", ""])
def test_cell_of_any_start_comes_back_as_it_was(start):
    text = f"{start}1+1"
    assert unsafe(safe(text)) == text
    assert (safe(text) == text) is (start == "")


def test_notes_only_where_asked_for(client_of, sam, ann, alice):
    ticket = make_ticket(alice)
    with acting_as(ann):
        conversation.note(ticket, Message(author=ann, body="SECRET budget"))
        conversation.reply(ticket, Message(author=ann, body="A public word"))
    client = client_of(sam)
    assert b"SECRET" not in b"".join(client.get(f"{URL}?who=all").streaming_content)
    (row,) = rows(client.get(f"{URL}?who=all&notes=1"))
    assert "SECRET budget" in row["internal notes"]
    assert "A public word" not in row["internal notes"]


@pytest.mark.parametrize("query", ["", "?notes=1"])
def test_agents_and_requesters_export_nothing(client_of, ann, alice, query):
    make_ticket(alice)
    assert client_of(ann).get(URL + query).status_code == 403
    assert client_of(alice).get(URL + query).status_code == 302


@pytest.mark.parametrize("query", ["password__startswith=a", "p=x", "q=%00", "created=x"])
def test_odd_filters_break_nothing(client_of, sam, alice, query):
    make_ticket(alice)
    response = client_of(sam).get(f"{URL}?{query}")
    assert response.status_code in (200, 302, 400)


def test_export_is_written_to_the_security_log(client_of, sam, alice, caplog, tmp_path):
    make_ticket(alice)
    make_ticket(alice)
    with caplog.at_level("INFO", logger="security"):
        assert len(rows(client_of(sam).get(f"{URL}?who=all&notes=1"))) == 2
        call_command("export_tickets", out=str(tmp_path / "tickets.csv"))
    assert [record.message for record in caplog.records if record.name == "security"] == [
        "sam@example.com exported tickets with internal notes: 2",
        "export_tickets exported tickets without internal notes: 2",
    ]


def test_broken_off_download_is_logged_with_what_left(sam, alice, caplog):
    for number in range(3):
        make_ticket(alice, subject=f"Ticket {number}")
    found = ticket_lines(Ticket.objects.all(), by=sam.email, zone=UTC)
    with caplog.at_level("INFO", logger="security"):
        for _line in range(3):  # the mark, the heading, one ticket
            next(found)
        found.close()
    assert "sam@example.com exported tickets without internal notes: 1" in caplog.text


def test_queries_do_not_grow_with_rows(client_of, sam, alice, django_assert_max_num_queries):
    for number in range(30):
        make_ticket(alice, subject=f"Ticket {number}")
    client = client_of(sam)
    with django_assert_max_num_queries(14):
        assert len(rows(client.get(f"{URL}?who=all&notes=1"))) == 30


def test_batches_lose_and_repeat_nothing(client_of, sam, alice, monkeypatch):
    monkeypatch.setattr("tickets.reports.export.BATCH", 3)
    for number in range(10):
        make_ticket(alice, subject=f"Ticket {number}")
    assert subjects(client_of(sam).get(f"{URL}?who=all")) == [f"Ticket {number}" for number in range(10)]


def test_export_says_what_a_ticket_waits_for(client_of, sam, alice):
    waiting = make_ticket(alice, subject="Waiting")
    waiting.set_status(status("waiting"), Wait("date", date(2030, 1, 31)))
    make_ticket(alice, subject="Open")
    shown = {row["subject"]: row for row in rows(client_of(sam).get(f"{URL}?who=all"))}
    day, reason = shown["Waiting"]["snoozed until"], shown["Waiting"]["waiting for"]
    assert (day, reason) == ("2030-01-31", Ticket.WaitingFor.DATE.label)
    assert (shown["Open"]["snoozed until"], shown["Open"]["waiting for"]) == ("", "")


def test_columns_have_names_of_their_own():
    names = [column.name for column in COLUMNS]
    assert len(names) == len(set(names))
    assert {*FIELDS, *MORE} <= set(names), "What the import reads, the export writes."


# The command
def test_command_writes_what_is_asked_for(alice, ann, bob, tmp_path, capsys):
    make_ticket(alice, subject="A", assignee=ann, category=category("Email Support"))
    make_ticket(bob, subject="B", phase="done")
    with acting_as(ann):
        conversation.note(Ticket.objects.get(subject="A"), Message(author=ann, body="SECRET"))
    file = tmp_path / "tickets.csv"

    def exported(*options) -> list[str]:
        call_command("export_tickets", *options, out=str(file))
        text = file.read_text(encoding="utf-8-sig")
        return [row["subject"] for row in csv.DictReader(io.StringIO(text))]

    assert exported() == ["A", "B"]
    assert "Wrote 2 tickets" in capsys.readouterr().out
    assert "SECRET" not in file.read_text()
    assert exported("--phase", "open") == ["A"]
    assert exported("--requester", "BOB@example.com") == ["B"]
    assert exported("--assignee", "ann@example.com") == ["A"]
    assert exported("--category", "email support") == ["A"]
    assert exported("--priority", "low") == []
    assert exported("--since", "2020-01-01", "--until", "2020-12-31") == []
    today = timezone.localdate().isoformat()
    assert exported("--since", today, "--until", today) == ["A", "B"]
    assert exported("--until", (timezone.localdate() - DAY).isoformat()) == []
    assert exported("--notes") == ["A", "B"]
    assert "SECRET" in file.read_text()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/Los_Angeles"])
def test_excel_gets_semicolons_and_local_times_without_offset(client_of, sam, ann, alice, tmp_path, zone):
    filed = datetime(2026, 11, 30, 20, 15, 59, tzinfo=UTC)
    ticket = make_ticket(alice, subject="=1+1;2", created_at=filed)
    with acting_as(ann), time_machine.travel(filed, tick=False):
        conversation.note(ticket, Message(author=ann, body="SECRET"))
    User.objects.update(time_zone=zone)
    local = filed.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
    response = client_of(sam).get(f"{URL}?phase=all&who=all&notes=1&format=excel")
    raw = b"".join(response.streaming_content)
    assert raw.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")), delimiter=";")
    assert (row["subject"], row["created"], row["solved"]) == ("'=1+1;2", local, "")
    assert row["internal notes"] == f"{local} Ann Weber:\nSECRET"
    file = tmp_path / "tickets.csv"
    call_command("export_tickets", "--format", "excel", out=str(file))
    (row,) = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")), delimiter=";")
    assert row["created"] == "2026-11-30 20:15:59"


@pytest.mark.parametrize(
    "options",
    [
        ("--category", "Nope"),
        ("--requester", "x@example.com"),
        ("--since", "soon"),
        ("--until", "2026-02-30"),
        ("--until", "9999-12-31"),
    ],
)
def test_command_says_what_is_wrong(options, tmp_path):
    file = tmp_path / "tickets.csv"
    with pytest.raises(CommandError):
        call_command("export_tickets", *options, out=str(file))
    assert not file.exists()
