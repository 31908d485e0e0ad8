"""Tickets as CSV, a batch at a time: memory does not grow with the number of rows."""

import csv
import logging
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _

from tickets.models import Comment, Ticket

security = logging.getLogger("security")
BATCH = 1000
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"  # tells spreadsheets that it is UTF-8


def safe(value) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(DANGEROUS) else text


class _Lines:
    """Where csv writes to: hands the line back."""

    def write(self, line: str) -> str:
        return line


def lines(rows: Iterator[list]) -> Iterator[str]:
    writer = csv.writer(_Lines(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK
    for row in rows:
        yield writer.writerow([safe(cell) for cell in row])


def ticket_lines(tickets: QuerySet, *, by: str, zone: ZoneInfo, notes: bool = False) -> Iterator[str]:
    """`tickets` as CSV. How many really left is written to the log, also of a download that is broken off.

    `by` says who takes them; whether they may is the caller's matter.
    """
    counted = 0

    def counting() -> Iterator[list]:
        nonlocal counted
        for counted, row in enumerate(ticket_rows(tickets, zone=zone, notes=notes)):  # noqa: B007 - for the log
            yield row

    try:
        yield from lines(counting())
    finally:
        what = "with internal notes" if notes else "without internal notes"
        security.info("%s exported tickets %s: %s", by, what, counted)


def ticket_rows(tickets: QuerySet, *, zone: ZoneInfo, notes: bool = False) -> Iterator[list]:
    """A heading, then one row a ticket, in the order of their numbers. Internal notes only where asked for.

    `zone` is that of whoever reads: the rows are made while they are sent, after the request.
    """
    heading = [
        _("number"), _("subject"), _("description"), _("requester"), _("mail address"), _("department"),
        _("category"), _("priority"), _("status"), _("phase"), _("assignee"), _("source"), _("filed"),
        _("first reply"), _("done"), _("last change"), _("merged into"),
    ]  # fmt: skip
    yield [*heading, _("internal notes")] if notes else heading
    for ticket in _in_batches(tickets, notes=notes):
        row = [
            ticket.pk, ticket.subject, ticket.description, ticket.requester, ticket.requester.email,
            ticket.requester.department, ticket.category, ticket.get_priority_display(), ticket.status,
            ticket.status.get_phase_display(), ticket.assignee, ticket.get_source_display(),
            *(_moment(at, zone) for at in (ticket.created_at, ticket.first_replied_at, ticket.done_at)),
            _moment(ticket.updated_at, zone), ticket.merged_into_id,
        ]  # fmt: skip
        yield [*row, _notes(ticket, zone)] if notes else row


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


def _moment(at, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(" ", "minutes") if at else ""


def _notes(ticket: Ticket, zone: ZoneInfo) -> str:
    said = (f"{_moment(note.created_at, zone)} {note.author}:\n{note.body}" for note in ticket.internal_notes)
    return "\n\n".join(said)
