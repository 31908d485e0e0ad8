"""Exports tickets as CSV in batches, so that memory does not grow with the number of rows."""

import csv
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db.models import Choices, Prefetch, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from helpdesk.csv_files import safe
from tickets.models import Comment, Ticket
from tickets.rules.workflow import Phase

security = logging.getLogger("security")
BATCH = 1000
BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that it is UTF-8


@dataclass(frozen=True)
class Format:
    """The format of rows: delimiter, decimal sign, and whether times have a UTC offset."""

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


# Where the comma is the decimal sign, Excel splits cells at semicolons and reads 2.5 as a date.
FORMATS = {"csv": Format(",", ".", has_offset=True), "excel": Format(";", ",", has_offset=False)}
CSV = FORMATS["csv"]


@dataclass(frozen=True)
class ExportColumn:
    """`name` is the same in every language; import_tickets knows the column by it and by its heading."""

    name: str
    heading: Promise
    value: Callable[[Ticket], object]
    choices: type[Choices] | None = None  # the labels of the values

    def reader(self) -> Callable[[Ticket], object]:
        """Translates the labels once for all rows."""
        if self.choices is None:
            return self.value
        labels = {value: str(label) for value, label in self.choices.choices}
        return lambda ticket: labels.get(self.value(ticket), self.value(ticket))


COLUMNS = (
    ExportColumn("number", _("number"), attrgetter("pk")),
    ExportColumn("subject", _("subject"), attrgetter("subject")),
    ExportColumn("description", _("description"), attrgetter("description")),
    ExportColumn("requester_name", _("requester"), attrgetter("requester.full_name")),
    ExportColumn("requester", _("requester email"), attrgetter("requester.email")),
    ExportColumn("requester_department", _("department"), attrgetter("requester.department")),
    ExportColumn("category", _("category"), attrgetter("category")),
    ExportColumn("priority", _("priority"), attrgetter("priority"), Ticket.Priority),
    ExportColumn("status", _("status"), attrgetter("status")),
    ExportColumn("phase", _("phase"), attrgetter("status.phase"), Phase),
    ExportColumn("waiting_for", _("waiting for"), attrgetter("waiting_for"), Ticket.WaitingFor),
    ExportColumn("wakes_on", _("snoozed until"), attrgetter("wakes_on")),
    ExportColumn(
        "assignee_name", _("assignee"), lambda ticket: ticket.assignee and ticket.assignee.full_name
    ),
    ExportColumn("assignee", _("assignee email"), lambda ticket: ticket.assignee and ticket.assignee.email),
    ExportColumn("source", _("source"), attrgetter("source"), Ticket.Source),
    ExportColumn("created_at", _("created"), attrgetter("created_at")),
    ExportColumn("first_replied_at", _("first reply"), attrgetter("first_replied_at")),
    ExportColumn("done_at", _("solved"), attrgetter("done_at")),
    ExportColumn("updated_at", _("updated"), attrgetter("updated_at")),
    ExportColumn("merged_into", _("merged into"), attrgetter("merged_into_id")),
)


class _Lines:
    """A file for csv.writer that returns the written line."""

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
    """`tickets` as CSV. Logs the number of exported tickets, also for an interrupted download.

    `by` is the person for the log. The caller checks permissions.
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
    """A heading, then one row per ticket, ordered by number. With internal notes only if `notes`.

    `zone` is the reader's time zone, because the rows are written after the request.
    """
    heading = [column.heading for column in COLUMNS]
    readers = [column.reader() for column in COLUMNS]
    yield [*heading, _("internal notes")] if notes else heading
    for ticket in _in_batches(tickets, notes=notes):
        row = [read(ticket) for read in readers]
        row = [cell.astimezone(zone) if isinstance(cell, datetime) else cell for cell in row]
        yield [*row, _notes(ticket, zone, form)] if notes else row


def _in_batches(tickets: QuerySet, *, notes: bool) -> Iterator[Ticket]:
    """Reads batches by primary key, so that no cursor stays open during a slow download."""
    people = get_user_model().objects.only("full_name", "email", "department")
    tickets = Ticket.objects.filter(pk__in=tickets.order_by().values("pk")).order_by("pk")
    # Without joins, so that a batch creates each person, category and status once.
    tickets = tickets.prefetch_related(
        "category", "status", Prefetch("requester", queryset=people), Prefetch("assignee", queryset=people)
    )
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
