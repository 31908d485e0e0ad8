"""What stands on a ticket's page: rows of its log and of what is merged into it, what was said, files."""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import Case, When

from tickets.events import FILES, Verb
from tickets.models import ActivityLog, Attachment, Comment, InboundEmail, Ticket, TicketLink
from tickets.models.comment import split_key

INTERNAL = {Verb.NOTED, Verb.TAKEN_BACK, Verb.LINKED, Verb.UNLINKED}  # the business of staff alone
SAID = {Verb.REPLIED, Verb.NOTED}


def is_internal(verb: str, changes: dict) -> bool:
    """Whether a row of the log is the business of staff alone."""
    return verb in INTERNAL or (bool(changes) and changes.keys() <= Ticket.INTERNAL_FIELDS)


class LogRow(NamedTuple):
    """A row of the log as it is read here: an instance of ActivityLog takes several times as long to make."""

    pk: int
    ticket_id: int
    verb: str
    changes: dict[str, list[Any]]
    actor_id: int | None
    actor_name: str
    batch: uuid.UUID
    recorded_at: datetime


class Said(NamedTuple):
    """A comment as it is read here, for the same reason."""

    pk: int
    ticket_id: int
    key: uuid.UUID
    body: str
    is_public: bool
    is_thanks: bool
    source: str
    created_at: datetime
    is_trimmed: bool  # whether something was cut from the mail that it came in by


class Story:
    """The story of `ticket` as `user` may read it, past the row `after` of the log.

    The number of queries does not grow with it. Internal notes, their files and their authors are left out
    for everybody but staff.
    """

    def __init__(self, ticket: Ticket, user, *, after: int = 0):
        self.ticket, self.user = ticket, user
        self.tickets = {ticket.pk: ticket}
        if ticket.has_merged:
            self.tickets |= {told.pk: told for told in ticket.merged.select_related("requester")}
        rows = ActivityLog.objects.filter(**self._of_tickets).oldest_first()
        if after:
            rows = rows.filter(pk__gt=after)
        self._all = [LogRow(*row) for row in rows.values_list(*LogRow._fields)]
        self.said = self._said(after)
        self.rows = [row for row in self._all if self._is_shown(row)]

    def acts(self) -> Iterator[list[LogRow]]:
        """The rows of each act on one ticket, oldest first."""
        for _key, rows in groupby(self.rows, key=lambda row: (row.batch, self.origin(row))):
            yield list(rows)

    def origin(self, row: LogRow) -> int | None:
        """The merged ticket that `row` comes from; None where it tells of the page's own ticket."""
        is_merge = row.verb == Verb.MERGED and row.changes["merged_into"][1] == self.ticket.pk
        return None if is_merge or row.ticket_id == self.ticket.pk else row.ticket_id

    def comment(self, row: LogRow) -> Said | None:
        return self.said[row.changes["key"][1]] if row.verb in SAID else None

    def files_of(self, number: int) -> list[Attachment]:
        """The files that came with a merged ticket itself."""
        return [file for file in self._files_said[None] if file.ticket_id == number]

    def files_said_with(self, comment: Said) -> list[Attachment]:
        return self._files_said.get(comment.pk, [])

    def split_into(self, comment: Said) -> Ticket | None:
        """The ticket that `comment` was split into, where the reader may know of it."""
        return self._splits.get(split_key(comment.key)) if self._splits else None

    def mail_of(self, comment: Said) -> int | None:
        """The number of the mail that `comment` came in by: staff may read the original."""
        return self._mails.get(comment.pk)

    @property
    def _of_tickets(self) -> dict:
        return {"ticket__in": self.tickets} if len(self.tickets) > 1 else {"ticket": self.ticket.pk}

    def _said(self, after: int) -> dict[str, Said]:
        keys = [row.changes["key"][1] for row in self._all if row.verb in SAID]
        if not keys:
            return {}
        comments = Comment.objects.filter(**self._of_tickets).visible_to(self.user).order_by()
        if after:
            comments = comments.filter(key__in=keys)
        comments = comments.annotate(is_trimmed=Case(When(trimmed="", then=False), default=True))
        said = (Said(*comment) for comment in comments.values_list(*Said._fields))
        return {str(comment.key): comment for comment in said}

    @cached_property
    def _mails(self) -> dict[int, int]:
        by_mail = [said.pk for said in self.said.values() if said.source == Ticket.Source.EMAIL]
        if not by_mail or not self.user.is_staff:
            return {}
        return dict(InboundEmail.objects.filter(comment__in=by_mail).values_list("comment", "pk"))

    @cached_property
    def _files(self) -> list[Attachment]:
        """Of the page's own ticket and of those merged into it."""
        merged = self.tickets.keys() - {self.ticket.pk}
        of_merged = Attachment.objects.filter(ticket__in=merged) if merged else ()
        return [*self.ticket.files, *of_merged]

    @cached_property
    def _files_said(self) -> dict[int, list[Attachment]]:
        """By comment."""
        files = defaultdict(list)
        for file in self._files:
            files[file.comment_id].append(file)
        return files

    @cached_property
    def _splits(self) -> dict:
        if not (self.ticket.has_links or self.ticket.has_merged):
            return {}
        links = {"links__kind": TicketLink.Kind.SPLIT, "links__target__in": list(self.tickets)}
        splits = Ticket.objects.filter(**links).visible_to(self.user)
        return {ticket.submission_key: ticket for ticket in splits}

    @cached_property
    def _merges(self) -> set[tuple]:
        """The acts that merged other tickets, by batch and number."""
        rows = (row for row in self._all if row.verb == Verb.MERGED and row.ticket_id != self.ticket.pk)
        return {(row.batch, row.ticket_id) for row in rows}

    def _is_shown(self, row: LogRow) -> bool:
        if row.verb in SAID and row.changes["key"][1] not in self.said:
            return False  # a note for staff only, or taken back since
        if row.verb in FILES:
            return not self._is_shown_elsewhere(row)
        if (row.batch, row.ticket_id) in self._merges:
            # That it is done now goes without saying, and so does that it went along with another one.
            return row.verb == Verb.MERGED and row.changes["merged_into"][0] is None
        return self.user.is_staff or not is_internal(row.verb, row.changes)

    def _is_shown_elsewhere(self, row: LogRow) -> bool:
        """Files of a message stand with it; those of a merged ticket with its beginning."""
        is_beginning = row.ticket_id != self.ticket.pk and row.verb == Verb.FILE_ADDED
        return is_beginning or any(row.changes.get("comment", ()))
