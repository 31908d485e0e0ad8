"""Detects repeated submissions.

Each form has a key: the same key and content is a repetition, other content is new.

The first message keeps the key of its form. Each other content gets a key made of both, so that the database
detects its repetitions too, even if all arrive at once.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import IntegrityError, transaction

from tickets.actions.filing_limit import TooManyTickets
from tickets.history.recording import snapshot_of
from tickets.models import ActivityLog, Comment, Ticket
from tickets.models.attachment_querysets import TooManyFiles
from tickets.rules.events import Verb

Content = list[str]
Row = TypeVar("Row")


def file_once(
    key: uuid.UUID,
    content: Content,
    *,
    file: Callable[[uuid.UUID], Row],
    find: Callable[[uuid.UUID], tuple[Row | None, Content]],
) -> tuple[Row, bool]:
    """Calls `file` with a key that no other content has. Returns the row, and whether it is new.

    `find` returns the row that has a key and the content of that row, or (None, []). Raises what `file`
    raises if the row does not exist yet.
    """
    for own_key in (key, key_of(key, content)):
        try:
            with transaction.atomic():
                return file(own_key), True
        except (IntegrityError, TooManyFiles, TooManyTickets):
            first, first_content = find(own_key)
            if first is None:
                raise
            if own_key != key or first_content == content:
                return first, False
    raise AssertionError("The second key stands for this content alone.")


def filed_already(ticket: Ticket, key: uuid.UUID) -> Ticket | None:
    """Returns the ticket of this requester with the same `key` and content.

    If there is none, sets `ticket`'s key.
    """
    content = content_of_form(ticket, [])
    for own_key in (key, key_of(key, content)):
        found = Ticket.objects.filter(requester=ticket.requester, submission_key=own_key).first()
        if found is None:
            ticket.submission_key = own_key
            return None
        if own_key != key or content_of_ticket(found) == content:
            return found
    raise AssertionError("The second key stands for this content alone.")


def key_of(key: uuid.UUID, content: Content) -> uuid.UUID:
    """Returns the key for `content` that was sent with a key which another message has."""
    parts = b"".join(hashlib.sha256(part.encode()).digest() for part in content)
    return uuid.uuid5(key, parts.hex())


def content_of_files(files: Iterable) -> Content:
    """Hashes the bytes of uploads, whatever their names."""
    digests = []
    for file in files:
        file.seek(0)
        digests.append(hashlib.sha256(file.read()).hexdigest())
    return sorted(digests)


def content_of_comment(comment: Comment) -> Content:
    kind = "reply" if comment.is_public else "note"
    return [kind, comment.body, *_stored(comment.attachments)]


def content_of_follow_up(ticket: Ticket) -> Content:
    """Returns the content of a reply that became a ticket, as it was written, not as the ticket is now."""
    return ["reply", _as_filed(ticket, "description"), *_stored(ticket.attachments.filter(comment=None))]


FILED_FIELDS = ("subject", "description", "category", "priority")


def content_of_ticket(ticket: Ticket) -> Content:
    """Returns the content of the form that filed the ticket."""
    words = [_as_filed(ticket, name) for name in FILED_FIELDS]
    return [*words, *_stored(ticket.attachments.filter(comment=None))]


def content_of_form(ticket: Ticket, files: Iterable) -> Content:
    """Returns the content of a form for a ticket that is not filed yet."""
    values = snapshot_of(ticket)
    return [*(_word(values[name]) for name in FILED_FIELDS), *content_of_files(files)]


def _stored(attachments) -> Content:
    return sorted(attachments.values_list("sha256", flat=True))


def _as_filed(ticket: Ticket, name: str) -> str:
    """Reads the value from the log, because the ticket may have been edited since."""
    row = ActivityLog.objects.filter(ticket_id=ticket.pk, verb=Verb.CREATED).first()
    values = snapshot_of(ticket) if row is None else {key: new for key, (_old, new) in row.changes.items()}
    return _word(values.get(name))


def _word(value) -> str:
    return "" if value is None else str(value)
