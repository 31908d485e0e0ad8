"""Replies, internal notes, undoing a reply, watching and muting.

Each function is one act: one transaction, one entry of the timeline, one email for each person.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.actions import claiming, filing_limit
from tickets.models import (
    ActivityLog,
    Attachment,
    Because,
    Comment,
    Draft,
    Mention,
    MutedTicket,
    Notification,
    Status,
    Ticket,
    TicketLink,
    Watcher,
)
from tickets.rules import rights
from tickets.rules.events import Verb, verbs
from tickets.rules.mentions import mentioned
from tickets.rules.thanks import is_only_thanks
from tickets.rules.waiting import AS_IT_IS, Wait
from tickets.rules.workflow import Phase, may_follow

State = Notification.State
WRITTEN = verbs(lambda event: event.says)
UNDER_WAY = (State.SENDING, State.SENT, State.DELIVERED, State.BOUNCED)


class TooLate(Exception):
    """The reply is being sent or was sent, so it cannot be undone."""


class RepliedMeanwhile(Exception):
    """Other people have written since the author's page was loaded. `messages` are theirs, oldest first."""

    def __init__(self, messages: list[Comment]):
        super().__init__()
        self.messages = messages


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message of `author`. The database accepts a `key` once from each author.

    `subject` and `description` belong to a new ticket, if the message becomes one. If they are empty, it gets
    the old subject, and `body` as description. `trimmed` is the quoted text of an email. `not_emailed` are
    people who get no email of a reply. `seen_entry` is the last row of the log that the author has seen; None
    if unknown.
    """

    author: object
    body: str
    files: Sequence = ()
    key: uuid.UUID | None = None
    source: str = Ticket.Source.WEB
    trimmed: str = ""
    subject: str = ""
    description: str = ""
    not_emailed: Collection = ()
    seen_entry: int | None = None

    @property
    def is_email(self) -> bool:
        return self.source == Ticket.Source.EMAIL


def is_asking(ticket: Ticket, person) -> bool:
    """Whether `person` speaks for the requester's side, and not as staff who answer."""
    return person.pk == ticket.requester_id or not person.is_staff


@transaction.atomic
def reply(
    ticket: Ticket,
    message: Message,
    *,
    status: Status | None = None,
    wait: Wait = AS_IT_IS,
    claims: bool = False,
) -> Comment | Ticket:
    """Adds a public reply. Returns the comment, or the new ticket that it became.

    A reply from the requester's side makes a waiting ticket active and reopens a done one. After the
    REOPEN_PERIOD the reply becomes a new ticket that follows up on it. `status` is the status that staff set
    with it, and `wait` what the ticket waits for in that status. A reply that `claims` assigns
    an unclaimed ticket to its author, and makes a new one active if no status is set. `subject` and
    `description` belong to a new ticket; without them it has the old subject, and `body` as description.
    Raises IntegrityError if the same author sends the same `key` again, RepliedMeanwhile if the author has
    not seen everything that others wrote, and filing_limit.TooManyTickets if a new ticket from the page would
    exceed the limit.
    """
    author = message.author
    _forget_draft(ticket, message, kind=Draft.Kind.REPLY)
    ticket = _locked(ticket, author=author)
    _check_seen(ticket, message)
    asks = is_asking(ticket, author)
    is_thanks = asks and ticket.is_done and not message.files and is_only_thanks(message.body)
    if ticket.is_merged or (asks and not ticket.takes_replies and not is_thanks):
        return _follow_up(ticket, message)
    comment = _add(message, ticket, is_public=True, is_thanks=is_thanks)
    if not is_thanks:
        _stamp(ticket, comment, asks=asks)
    if claims and not asks and claiming.is_free(ticket):
        status = status or _status_when_claimed(ticket)
        ticket.assign(author, because=Because.REPLY)
    if status is not None:
        # Another request may have started work on a new ticket before the lock. Then it cannot be new again.
        if may_follow(ticket.phase, status.phase):
            ticket.set_status(status, wait)
    elif asks and not is_thanks and (ticket.status.is_waiting or ticket.is_done):
        ticket.reopen()
    return comment


def _stamp(ticket: Ticket, reply: Comment, *, asks: bool) -> None:
    """Sets the ticket fields that follow from the time of the reply."""
    stamps = {"updated_at": reply.created_at, "public_at": reply.created_at}
    if ticket.silent_since is not None:
        stamps["silent_since"] = reply.created_at
    if not asks and ticket.first_replied_at is None:
        stamps["first_replied_at"] = reply.created_at
    Ticket.objects.filter(pk=ticket.pk).update(**stamps)


@transaction.atomic
def note(ticket: Ticket, message: Message) -> Comment:
    """Adds an internal note. Staff whom it mentions are notified of it, and of what is written from then on.

    Raises IntegrityError if the same author sends the same `key` again.
    """
    _forget_draft(ticket, message, kind=Draft.Kind.NOTE)
    ticket = _locked(ticket, author=message.author)
    for person in mentioned_staff(message):
        Mention.objects.get_or_create(ticket=ticket, person=person)
    comment = _add(message, ticket, is_public=False)
    Ticket.objects.filter(pk=ticket.pk).update(updated_at=comment.created_at)  # public_at stays
    return comment


def mentioned_staff(note: Message | Comment) -> list:
    """Returns the other staff whom an internal note mentions with an @, in its order."""
    if "@" not in note.body:
        return []
    staff = {person.pk: person for person in get_user_model().objects.staff() if person != note.author}
    names = {pk: person.full_name for pk, person in staff.items()}
    return [staff[pk] for pk in mentioned(note.body, names)]


def may_take_back(comment: Comment, person) -> bool:
    return rights.may_take_back(
        is_author=comment.author_id == person.pk,
        is_public=comment.is_public,
        said_at=comment.created_at,
        now=timezone.now(),
    )


@transaction.atomic
def take_back(comment: Comment, *, author) -> None:
    """Undoes a reply before it is emailed, and restores its text as a draft. Raises TooLate.

    Other changes of the same act (a status) stay.
    """
    if not may_take_back(comment, author):
        raise TooLate
    ticket = Ticket.objects.select_for_update().get(pk=comment.ticket_id)
    if not Comment.objects.filter(pk=comment.pk).exists():
        return  # undone before, in another tab
    replies = ActivityLog.objects.filter(ticket_id=ticket.pk, verb=Verb.REPLIED)
    mails = Notification.objects.filter(activity__in=replies.filter(changes__key__1=str(comment.key)))
    # A worker claims a row by changing its state, so this either stops the email or finds it claimed.
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


@transaction.atomic
def watch(ticket: Ticket, person) -> bool:
    """Makes `person` a watcher. Returns False if the person is the requester or already watches."""
    if person.pk == ticket.requester_id:
        return False
    if not person.works:  # a former staff member does not count as a watcher any more
        for watcher in Watcher.objects.filter(ticket=ticket, person=person, as_staff=True):
            watcher.delete()
    _watcher, is_new = Watcher.objects.get_or_create(ticket=ticket, person=person)
    return is_new


def unwatch(ticket: Ticket, person) -> None:
    for watcher in Watcher.objects.filter(ticket=ticket, person=person):
        watcher.delete()


@transaction.atomic
def mute(ticket: Ticket, person) -> None:
    """Mutes `ticket` for `person`, and cancels waiting emails. The person stays a watcher."""
    MutedTicket.objects.get_or_create(ticket=ticket, person=person)
    waiting = Notification.objects.filter(ticket=ticket.pk, person=person, state=State.WAITING)
    waiting.update(state=State.SUPPRESSED, last_error=_("This person has muted this ticket."))


def unmute(ticket: Ticket, person) -> None:
    MutedTicket.objects.filter(ticket=ticket, person=person).delete()


def is_muted(ticket: Ticket, person) -> bool:
    return MutedTicket.objects.filter(ticket=ticket, person=person).exists()


def _add(message: Message, ticket: Ticket, *, is_public: bool, is_thanks: bool = False) -> Comment:
    comment = Comment.objects.create(
        ticket=ticket,
        author=message.author,
        body=message.body,
        source=message.source,
        key=message.key or uuid.uuid4(),
        trimmed=message.trimmed,
        not_emailed=sorted(person.pk for person in message.not_emailed) or None,
        is_public=is_public,
        is_thanks=is_thanks,
    )
    Attachment.attach(message.files, ticket=ticket, uploader=message.author, comment=comment)
    return comment


def _check_seen(ticket: Ticket, message: Message) -> None:
    """Raises RepliedMeanwhile. The lock of the ticket keeps later messages out until this one is stored."""
    if message.seen_entry is None:
        return
    tickets = Ticket.objects.on_page_of(ticket).values("pk")
    rows = ActivityLog.objects.filter(ticket_id__in=tickets, pk__gt=message.seen_entry, verb__in=WRITTEN)
    of_others = rows.exclude(actor=message.author).values_list("changes", flat=True)
    keys = [changes["key"][1] for changes in of_others]
    if not keys:
        return
    written = Comment.objects.filter(ticket__in=tickets).visible_to(message.author).select_related("author")
    is_repetition = Comment.objects.filter(author=message.author, key=message.key).exists()
    if (unseen := list(written.filter(key__in=keys))) and not is_repetition:
        raise RepliedMeanwhile(unseen)


def _forget_draft(ticket: Ticket, message: Message, *, kind: str) -> None:
    if not message.is_email:  # an email does not touch the draft on the page
        Draft.objects.forget(person=message.author, ticket=ticket, kind=kind, key=message.key)


def _locked(ticket: Ticket, *, author) -> Ticket:
    """Locks the ticket that receives a message sent to `ticket`: the merge target, if there is one.

    Returns the merged ticket itself if the author may not see the target. Unlocks it before the target is
    locked, because tickets.actions.merging locks both in its own order.
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


def _follow_up(ticket: Ticket, message: Message) -> Ticket:
    # The limits for email were checked in tickets.mail.receiving.decisions.
    author, is_email = message.author, message.is_email
    status = Status.objects.default_for(Phase.NEW) if is_email else filing_limit.status_for_new(author)
    new = Ticket.objects.create(
        subject=message.subject or ticket.subject,
        description=message.description or message.body,
        category=ticket.category,
        priority=ticket.priority,
        status=status,
        requester=author,
        source=message.source,
        submission_key=message.key or uuid.uuid4(),
    )
    if not is_email:
        filing_limit.count_new(author)
    Attachment.attach(message.files, ticket=new, uploader=author)
    TicketLink.objects.create(ticket=new, target=ticket, kind=TicketLink.Kind.FOLLOWS)
    return new
