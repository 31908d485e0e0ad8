"""Loads the content of a ticket's page: log rows, messages and files, merged tickets included."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, Q

from tickets.models import ActivityLog, Attachment, Comment, InboundEmail, Ticket, TicketLink
from tickets.models.comment import split_key
from tickets.rules.events import EVENTS, Verb

IS_TRIMMED = ExpressionWrapper(~Q(trimmed=""), output_field=BooleanField())


def is_internal(verb: str, changes: dict) -> bool:
    """Whether a row of the log is visible to staff only."""
    return not EVENTS[verb].is_public or (bool(changes) and changes.keys() <= Ticket.INTERNAL_FIELDS)


class LogRow(NamedTuple):
    """A row of the log. An instance of ActivityLog takes several times as long to create."""

    pk: int
    ticket_id: int
    verb: str
    changes: dict[str, list[Any]]
    actor_id: int | None
    actor_name: str
    batch: uuid.UUID
    recorded_at: datetime


class Said(NamedTuple):
    """A comment, read as a tuple for the same reason."""

    pk: int
    ticket_id: int
    key: uuid.UUID
    body: str
    is_public: bool
    is_thanks: bool
    source: str
    created_at: datetime
    is_trimmed: bool  # whether something was cut from the email that it arrived by


class Story:
    """The history of `ticket` as `user` may see it, after the row `after` of the log.

    The number of queries is constant. Internal notes, their files and their authors are loaded for staff
    only.
    """

    def __init__(self, ticket: Ticket, user, *, after: int = 0):
        self.ticket, self.user = ticket, user
        self.tickets = {ticket.pk: ticket}
        if ticket.has_merged:
            self.tickets |= {merged.pk: merged for merged in ticket.merged.select_related("requester")}
        rows = ActivityLog.objects.filter(**self._of_tickets).oldest_first()
        if after:
            rows = rows.filter(pk__gt=after)
        self._all = [LogRow(*row) for row in rows.values_list(*LogRow._fields)]
        self.said = self._said(after)
        self.rows = [row for row in self._all if self._is_shown(row)]

    def acts(self) -> Iterator[list[LogRow]]:
        """Yields the rows of each act on one ticket, oldest first."""
        for _key, rows in groupby(self.rows, key=lambda row: (row.batch, self.origin(row))):
            yield list(rows)

    def origin(self, row: LogRow) -> int | None:
        """Returns the merged ticket that `row` belongs to; None for the page's own ticket."""
        is_merge = row.verb == Verb.MERGED and row.changes["merged_into"][1] == self.ticket.pk
        return None if is_merge or row.ticket_id == self.ticket.pk else row.ticket_id

    def comment(self, row: LogRow) -> Said | None:
        return self.said[row.changes["key"][1]] if EVENTS[row.verb].says else None

    def files_of(self, number: int) -> list[Attachment]:
        """Returns the files that came with the merged ticket itself."""
        return [file for file in self._files_said[None] if file.ticket_id == number]

    def files_said_with(self, comment: Said) -> list[Attachment]:
        return self._files_said.get(comment.pk, [])

    def split_into(self, comment: Said) -> Ticket | None:
        """Returns the ticket that `comment` was split into, if the reader may see it."""
        return self._splits.get(split_key(comment.key)) if self._splits else None

    def mail_of(self, comment: Said) -> int | None:
        """Returns the number of the email that `comment` arrived by. Staff may view the original."""
        return self._mails.get((comment.ticket_id, comment.pk))

    def mail_that_filed(self, ticket: Ticket) -> int | None:
        """Returns the number of the email that `ticket` was filed by."""
        return self._mails.get((ticket.pk, None)) if ticket.source == Ticket.Source.EMAIL else None

    @property
    def _of_tickets(self) -> dict:
        return {"ticket__in": self.tickets} if len(self.tickets) > 1 else {"ticket": self.ticket.pk}

    def _said(self, after: int) -> dict[str, Said]:
        keys = [row.changes["key"][1] for row in self._all if EVENTS[row.verb].says]
        if not keys:
            return {}
        comments = Comment.objects.filter(**self._of_tickets).visible_to(self.user).order_by()
        if after:
            comments = comments.filter(key__in=keys)
        comments = comments.annotate(is_trimmed=IS_TRIMMED)
        said = (Said(*comment) for comment in comments.values_list(*Said._fields))
        return {str(comment.key): comment for comment in said}

    @cached_property
    def _mails(self) -> dict[tuple[int, int | None], int]:
        """Keys are ticket and comment. Without a comment: the email that filed the ticket, the oldest one."""
        shown = (*self.tickets.values(), *self.said.values())
        if not self.user.is_staff or all(one.source != Ticket.Source.EMAIL for one in shown):
            return {}
        mails = InboundEmail.objects.filter(ticket__in=self.tickets).filed().oldest_first().reverse()
        return {(ticket, said): mail for ticket, said, mail in mails.values_list("ticket", "comment", "pk")}

    @cached_property
    def _files(self) -> list[Attachment]:
        """Loads the files of the page's own ticket and of those merged into it."""
        merged = self.tickets.keys() - {self.ticket.pk}
        of_merged = Attachment.objects.filter(ticket__in=merged) if merged else ()
        return [*self.ticket.files, *of_merged]

    @cached_property
    def _files_said(self) -> dict[int, list[Attachment]]:
        """Groups files by comment."""
        files = defaultdict(list)
        for file in self._files:
            files[file.comment_id].append(file)
        return files

    @cached_property
    def _splits(self) -> dict:
        if not (self.ticket.belongings.links or self.ticket.has_merged):
            return {}
        links = {"links__kind": TicketLink.Kind.SPLIT, "links__target__in": list(self.tickets)}
        splits = Ticket.objects.filter(**links).visible_to(self.user)
        return {ticket.submission_key: ticket for ticket in splits}

    @cached_property
    def _merges(self) -> set[tuple]:
        """Returns the acts that merged other tickets, by batch and number."""
        rows = (row for row in self._all if row.verb == Verb.MERGED and row.ticket_id != self.ticket.pk)
        return {(row.batch, row.ticket_id) for row in rows}

    def _is_shown(self, row: LogRow) -> bool:
        if not self.user.is_staff and is_internal(row.verb, row.changes):
            return False
        event = EVENTS[row.verb]
        if event.says and row.changes["key"][1] not in self.said:
            return False  # an internal note, or a reply that was undone
        if not event.stands_alone:
            return not self._is_shown_elsewhere(row)
        if (row.batch, row.ticket_id) in self._merges:
            # A merged ticket is done and moves with its target, so neither needs an entry.
            return row.verb == Verb.MERGED and row.changes["merged_into"][0] is None
        return True

    def _is_shown_elsewhere(self, row: LogRow) -> bool:
        """Whether an entry of another row shows it: files stand with their message or with their merged
        ticket.
        """
        is_beginning = row.ticket_id != self.ticket.pk and row.verb == Verb.FILE_ADDED
        return is_beginning or any(row.changes.get("comment", ()))
