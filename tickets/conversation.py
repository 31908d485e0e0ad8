"""What people say on a ticket: replies, internal notes, taking back, watching.

Each function is one act: one transaction, one entry of the timeline, one mail a person.
"""

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from tickets.events import Verb
from tickets.models import (
    ActivityLog,
    Attachment,
    Comment,
    Draft,
    Notification,
    Status,
    Ticket,
    TicketLink,
    Watcher,
)
from tickets.thanks import is_only_thanks
from tickets.workflow import TAKE_BACK_PERIOD, Phase


class TooLate(Exception):
    """The reply is on its way already, so it can't be taken back."""


@transaction.atomic
def reply(
    ticket: Ticket,
    *,
    author,
    body: str,
    files: Iterable = (),
    key: uuid.UUID | None = None,
    source: str = Ticket.Source.WEB,
    status: Status | None = None,
) -> Comment | Ticket:
    """Says `body` publicly. Returns the comment, or the new ticket that it became.

    A reply from the requester's side makes a waiting ticket active and reopens one that is done. Where that
    was more than 14 days ago it becomes a ticket of its own that follows up on the old. `status` is what the
    staff set with it. Raises IntegrityError when the same author sends the same `key` again.
    """
    Draft.objects.filter(person=author, ticket=ticket, kind=Draft.Kind.REPLY).delete()
    ticket = _locked(ticket, author=author)
    files = list(files)
    asks = author.pk == ticket.requester_id or not author.is_staff
    is_thanks = asks and ticket.is_done and not files and is_only_thanks(body)
    if ticket.is_merged or (asks and not ticket.takes_replies and not is_thanks):
        return _follow_up(ticket, author=author, body=body, files=files, key=key, source=source)
    said = {"body": body, "source": source, "key": key or uuid.uuid4(), "is_thanks": is_thanks}
    comment = Comment.objects.create(ticket=ticket, author=author, is_public=True, **said)
    Attachment.attach(files, ticket=ticket, uploader=author, comment=comment)
    if not is_thanks:
        touched = {"updated_at": comment.created_at}
        if ticket.silent_since is not None:
            touched["silent_since"] = comment.created_at
        if not asks and ticket.first_replied_at is None:
            touched["first_replied_at"] = comment.created_at
        Ticket.objects.filter(pk=ticket.pk).update(**touched)
    if status is not None:
        ticket.set_status(status)
    elif asks and not is_thanks and ticket.phase in (Phase.WAITING, Phase.DONE):
        ticket.reopen()
    return comment


@transaction.atomic
def note(
    ticket: Ticket,
    *,
    author,
    body: str,
    files: Iterable = (),
    key: uuid.UUID | None = None,
    source: str = Ticket.Source.WEB,
) -> Comment:
    """Writes an internal note. Raises IntegrityError when the same author sends the same `key` again."""
    Draft.objects.filter(person=author, ticket=ticket, kind=Draft.Kind.NOTE).delete()
    ticket = _locked(ticket, author=author)
    said = {"body": body, "source": source, "key": key or uuid.uuid4()}
    comment = Comment.objects.create(ticket=ticket, author=author, is_public=False, **said)
    Attachment.attach(files, ticket=ticket, uploader=author, comment=comment)
    return comment


def may_take_back(comment: Comment, person) -> bool:
    in_time = timezone.now() < comment.created_at + TAKE_BACK_PERIOD
    return comment.is_public and comment.author_id == person.pk and in_time


@transaction.atomic
def take_back(comment: Comment, *, author) -> None:
    """Unsays a reply before anybody is mailed; its text comes back as a draft. Raises TooLate."""
    if not may_take_back(comment, author):
        raise TooLate
    saying = ActivityLog.objects.filter(ticket_id=comment.ticket_id, verb=Verb.REPLIED, actor=author)
    saying = next((row for row in saying[:20] if row.changes["key"][1] == str(comment.key)), None)
    mails = Notification.objects.filter(activity=saying)
    # A worker claims a row by changing its state, so either it is stopped here or it is under way.
    stopped = mails.filter(state=Notification.State.WAITING).update(state=Notification.State.SUPPRESSED)
    if stopped != mails.count():
        raise TooLate
    place = comment.ticket.merged_into or comment.ticket
    Draft.objects.keep(person=author, ticket=place, kind=Draft.Kind.REPLY, body=comment.body)
    comment.delete()


def watch(ticket: Ticket, person) -> bool:
    """Makes `person` a watcher. Returns False where that is not needed: the requester, or one already."""
    if person.pk == ticket.requester_id:
        return False
    _watcher, is_new = Watcher.objects.get_or_create(ticket=ticket, person=person)
    return is_new


def unwatch(ticket: Ticket, person) -> None:
    for watcher in Watcher.objects.filter(ticket=ticket, person=person):
        watcher.delete()


def _locked(ticket: Ticket, *, author) -> Ticket:
    """The ticket on which something sent to `ticket` is said: where it was merged into another, that one.

    It stays the signpost for an author who may not know of the other ticket (any more). A signpost is let
    go before its target is locked: tickets.merging locks both.
    """
    number = ticket.pk
    while True:
        here = transaction.savepoint()
        locked = Ticket.objects.select_for_update().get(pk=number)
        target = Ticket.objects.visible_to(author).filter(pk=locked.merged_into_id)
        if not locked.is_merged or not target.exists():
            transaction.savepoint_commit(here)
            return locked
        transaction.savepoint_rollback(here)
        number = locked.merged_into_id


def _follow_up(ticket: Ticket, *, author, body: str, files: list, key, source: str) -> Ticket:
    new = Ticket.objects.create(
        subject=ticket.subject,
        description=body,
        category=ticket.category,
        priority=ticket.priority,
        status=Status.objects.default_for(Phase.NEW),
        requester=author,
        source=source,
        submission_key=key or uuid.uuid4(),
    )
    Attachment.attach(files, ticket=new, uploader=author)
    TicketLink.objects.create(ticket=new, target=ticket, kind=TicketLink.Kind.FOLLOWS)
    return new
