"""What people say on a ticket: replies, internal notes, taking back, watching, no mail any more.

Each function is one act: one transaction, one entry of the timeline, one mail a person.
"""

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import claiming, filing_limit
from tickets.events import Verb
from tickets.models import (
    ActivityLog,
    Attachment,
    Because,
    Comment,
    Draft,
    MutedTicket,
    Notification,
    Status,
    Ticket,
    TicketLink,
    Watcher,
)
from tickets.thanks import is_only_thanks
from tickets.workflow import TAKE_BACK_PERIOD, Phase, may_follow

State = Notification.State
UNDER_WAY = (State.SENDING, State.SENT, State.DELIVERED, State.BOUNCED)


class TooLate(Exception):
    """The reply is on its way already, so it can't be taken back."""


def is_asking(ticket: Ticket, person) -> bool:
    """Whether what `person` says comes from the requester's side, and is no answer by staff."""
    return person.pk == ticket.requester_id or not person.is_staff


@transaction.atomic
def reply(
    ticket: Ticket,
    *,
    author,
    body: str,
    files: Iterable = (),
    key: uuid.UUID | None = None,
    source: str = Ticket.Source.WEB,
    trimmed: str = "",
    status: Status | None = None,
    claims: bool = False,
    subject: str = "",
) -> Comment | Ticket:
    """Says `body` publicly. Returns the comment, or the new ticket that it became.

    A reply from the requester's side makes a waiting ticket active and reopens one that is done. Where that
    was more than 14 days ago it becomes a ticket of its own that follows up on the old. `status` is what the
    staff set with it. An answer that `claims` makes its author the assignee of a ticket that is free, and a
    new one active where no status is set. `subject` is that of a new ticket; else it is called like the old.
    Raises IntegrityError when the same author sends the same `key`
    again, and filing_limit.TooManyTickets where a new ticket of the page would be one too many.
    """
    if source != Ticket.Source.EMAIL:  # a draft on the page is none of the mail's
        Draft.objects.forget(person=author, ticket=ticket, kind=Draft.Kind.REPLY, key=key)
    ticket = _locked(ticket, author=author)
    files = list(files)
    asks = is_asking(ticket, author)
    is_thanks = asks and ticket.is_done and not files and is_only_thanks(body)
    if ticket.is_merged or (asks and not ticket.takes_replies and not is_thanks):
        said = {"body": body, "files": files, "key": key, "source": source}
        return _follow_up(ticket, author=author, subject=subject or ticket.subject, **said)
    said = {"body": body, "source": source, "key": key or uuid.uuid4(), "is_thanks": is_thanks}
    said["trimmed"] = trimmed
    comment = Comment.objects.create(ticket=ticket, author=author, is_public=True, **said)
    Attachment.attach(files, ticket=ticket, uploader=author, comment=comment)
    if not is_thanks:
        _stamp(ticket, comment, asks=asks)
    if claims and not asks and claiming.is_free(ticket):
        status = status or _status_when_claimed(ticket)
        ticket.assign(author, because=Because.REPLY)
    if status is not None:
        # Between the form and the lock somebody may have taken up a new ticket; then it can't be new again.
        if may_follow(ticket.phase, status.phase):
            ticket.set_status(status)
    elif asks and not is_thanks and ticket.phase in (Phase.WAITING, Phase.DONE):
        ticket.reopen()
    return comment


def _stamp(ticket: Ticket, reply: Comment, *, asks: bool) -> None:
    """Sets what follows for the ticket from when the reply was said."""
    stamps = {"updated_at": reply.created_at}
    if ticket.silent_since is not None:
        stamps["silent_since"] = reply.created_at
    if not asks and ticket.first_replied_at is None:
        stamps["first_replied_at"] = reply.created_at
    Ticket.objects.filter(pk=ticket.pk).update(**stamps)


@transaction.atomic
def note(
    ticket: Ticket,
    *,
    author,
    body: str,
    files: Iterable = (),
    key: uuid.UUID | None = None,
    source: str = Ticket.Source.WEB,
    trimmed: str = "",
) -> Comment:
    """Writes an internal note. Raises IntegrityError when the same author sends the same `key` again."""
    if source != Ticket.Source.EMAIL:
        Draft.objects.forget(person=author, ticket=ticket, kind=Draft.Kind.NOTE, key=key)
    ticket = _locked(ticket, author=author)
    said = {"body": body, "source": source, "key": key or uuid.uuid4(), "trimmed": trimmed}
    comment = Comment.objects.create(ticket=ticket, author=author, is_public=False, **said)
    Attachment.attach(files, ticket=ticket, uploader=author, comment=comment)
    return comment


def may_take_back(comment: Comment, person) -> bool:
    in_time = timezone.now() < comment.created_at + TAKE_BACK_PERIOD
    return comment.is_public and comment.author_id == person.pk and in_time


@transaction.atomic
def take_back(comment: Comment, *, author) -> None:
    """Unsays a reply before anybody is mailed; its text comes back as a draft. Raises TooLate.

    What else the act did (a status) stays.
    """
    if not may_take_back(comment, author):
        raise TooLate
    ticket = Ticket.objects.select_for_update().get(pk=comment.ticket_id)
    if not Comment.objects.filter(pk=comment.pk).exists():
        return  # taken back already, in another tab
    replies = ActivityLog.objects.filter(ticket_id=ticket.pk, verb=Verb.REPLIED)
    mails = Notification.objects.filter(activity__in=replies.filter(changes__key__1=str(comment.key)))
    # A worker claims a row by changing its state, so either it is stopped here or it is under way.
    mails.filter(state=State.WAITING).update(state=State.SUPPRESSED)
    if mails.filter(state__in=UNDER_WAY).exists():
        raise TooLate
    place = {"person": author, "ticket": ticket.merged_into or ticket, "kind": Draft.Kind.REPLY}
    typed_since = Draft.objects.filter(**place).newest_first().first()
    said = Draft.objects.create(**place, body=comment.body)
    if typed_since:
        Draft.objects.join(said, typed_since)
    if ticket.first_replied_at == comment.created_at:
        Ticket.objects.filter(pk=ticket.pk).update(first_replied_at=None)
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


@transaction.atomic
def mute(ticket: Ticket, person) -> None:
    """`person` gets no mail about `ticket` any more, also not what waits. Who watches goes on watching."""
    MutedTicket.objects.get_or_create(ticket=ticket, person=person)
    waiting = Notification.objects.filter(ticket=ticket.pk, person=person, state=State.WAITING)
    waiting.update(state=State.SUPPRESSED, last_error=_("This person wants no mail about this ticket."))


def unmute(ticket: Ticket, person) -> None:
    MutedTicket.objects.filter(ticket=ticket, person=person).delete()


def is_muted(ticket: Ticket, person) -> bool:
    return MutedTicket.objects.filter(ticket=ticket, person=person).exists()


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


def _status_when_claimed(ticket: Ticket) -> Status | None:
    return Status.objects.default_for(Phase.ACTIVE) if ticket.phase == Phase.NEW else None


def _follow_up(ticket: Ticket, *, author, subject: str, body: str, files: list, key, source: str) -> Ticket:
    is_mail = source == Ticket.Source.EMAIL  # whose limits are known already (tickets.inbound.decisions)
    status = Status.objects.default_for(Phase.NEW) if is_mail else filing_limit.status_for_new(author)
    new = Ticket.objects.create(
        subject=subject,
        description=body,
        category=ticket.category,
        priority=ticket.priority,
        status=status,
        requester=author,
        source=source,
        submission_key=key or uuid.uuid4(),
    )
    if not is_mail:
        filing_limit.count_new(author)
    Attachment.attach(files, ticket=new, uploader=author)
    TicketLink.objects.create(ticket=new, target=ticket, kind=TicketLink.Kind.FOLLOWS)
    return new
