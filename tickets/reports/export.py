"""Tickets as CSV, a batch at a time: memory does not grow with the number of rows."""

import csv
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from tickets.models import Comment, Ticket

security = logging.getLogger("security")
BATCH = 1000
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that it is UTF-8


def safe(value) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection); unsafe() gives the text back."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip("'").startswith(DANGEROUS) else text


def unsafe(cell: str) -> str:
    """The text of which safe() made `cell`."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(DANGEROUS) else cell


@dataclass(frozen=True)
class Format:
    """How rows are written: what separates cells, the decimal sign, and whether times tell their offset."""

    delimiter: str
    decimal: str
    has_offset: bool

    def cell(self, value) -> str:
        if isinstance(value, datetime):
            return self.moment(value)
        if isinstance(value, float):
            return f"{value:.1f}".replace(".", self.decimal)
        return safe(value)

    def moment(self, at: datetime) -> str:
        return (at if self.has_offset else at.replace(tzinfo=None)).isoformat(" ", "seconds")


# Excel splits cells at semicolons and reads 2.5 as a date wherever the comma is the decimal sign.
FORMATS = {"csv": Format(",", ".", has_offset=True), "excel": Format(";", ",", has_offset=False)}
CSV = FORMATS["csv"]


@dataclass(frozen=True)
class Column:
    """A column of the export; `field` is what the import calls it, empty where it takes nothing from it."""

    heading: str
    field: str
    value: Callable[[Ticket], object]


COLUMNS = (
    Column(_("number"), "", attrgetter("pk")),
    Column(_("subject"), "subject", attrgetter("subject")),
    Column(_("description"), "description", attrgetter("description")),
    Column(_("requester"), "requester_name", attrgetter("requester.full_name")),
    Column(_("requester email"), "requester", attrgetter("requester.email")),
    Column(_("department"), "requester_department", attrgetter("requester.department")),
    Column(_("category"), "category", attrgetter("category")),
    Column(_("priority"), "priority", Ticket.get_priority_display),
    Column(_("status"), "status", attrgetter("status")),
    Column(_("phase"), "phase", lambda ticket: ticket.status.get_phase_display()),
    Column(_("assignee"), "assignee_name", lambda ticket: ticket.assignee and ticket.assignee.full_name),
    Column(_("assignee email"), "assignee", lambda ticket: ticket.assignee and ticket.assignee.email),
    Column(_("source"), "", Ticket.get_source_display),
    Column(_("filed"), "created_at", attrgetter("created_at")),
    Column(_("first reply"), "first_replied_at", attrgetter("first_replied_at")),
    Column(_("done"), "done_at", attrgetter("done_at")),
    Column(_("last change"), "updated_at", attrgetter("updated_at")),
    Column(_("merged into"), "", attrgetter("merged_into_id")),
)


class _Lines:
    """Where csv writes to: hands the line back."""

    def write(self, line: str) -> str:
        return line


def lines(rows: Iterator[list], form: Format = CSV) -> Iterator[str]:
    writer = csv.writer(_Lines(), quoting=csv.QUOTE_ALL, delimiter=form.delimiter)
    yield BYTE_ORDER_MARK
    for row in rows:
        yield writer.writerow([form.cell(cell) for cell in row])


def ticket_lines(
    tickets: QuerySet, *, by: str, zone: ZoneInfo, notes: bool = False, form: Format = CSV
) -> Iterator[str]:
    """`tickets` as CSV. How many really left is written to the log, also of a download that is broken off.

    `by` says who takes them; whether they may is the caller's matter.
    """
    counted = 0

    def counting() -> Iterator[list]:
        nonlocal counted
        for counted, row in enumerate(ticket_rows(tickets, zone=zone, notes=notes, form=form)):  # noqa: B007 - for the log
            yield row

    try:
        yield from lines(counting(), form)
    finally:
        what = "with internal notes" if notes else "without internal notes"
        security.info("%s exported tickets %s: %s", by, what, counted)


def ticket_rows(
    tickets: QuerySet, *, zone: ZoneInfo, notes: bool = False, form: Format = CSV
) -> Iterator[list]:
    """A heading, then one row a ticket, in the order of their numbers. Internal notes only where asked for.

    `zone` is that of whoever reads: the rows are made while they are sent, after the request.
    """
    heading = [column.heading for column in COLUMNS]
    yield [*heading, _("internal notes")] if notes else heading
    for ticket in _in_batches(tickets, notes=notes):
        row = [column.value(ticket) for column in COLUMNS]
        row = [cell.astimezone(zone) if isinstance(cell, datetime) else cell for cell in row]
        yield [*row, _notes(ticket, zone, form)] if notes else row


def _in_batches(tickets: QuerySet, *, notes: bool) -> Iterator[Ticket]:
    """By key: each statement is short, and no cursor stays open while a slow reader reads."""
    tickets = Ticket.objects.filter(pk__in=tickets.order_by().values("pk")).with_people().order_by("pk")
    if notes:
        internal = Comment.objects.filter(is_public=False).select_related("author")
        tickets = tickets.prefetch_related(Prefetch("comments", queryset=internal, to_attr="internal_notes"))
    last = 0
    while batch := list(tickets.filter(pk__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1].pk


def _notes(ticket: Ticket, zone: ZoneInfo, form: Format) -> str:
    said = (
        f"{form.moment(note.created_at.astimezone(zone))} {note.author}:\n{note.body}"
        for note in ticket.internal_notes
    )
    return "\n\n".join(said)
