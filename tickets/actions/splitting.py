"""Splitting: turns a message about another problem into a new ticket, linked to the old one."""

from django.core.files.base import ContentFile
from django.db import transaction

from tickets.models import Attachment, Comment, Status, Ticket, TicketLink
from tickets.models.comment import split_key
from tickets.rules.workflow import Phase


def requester_of(comment: Comment):
    """Returns the requester of the new ticket: the author, unless they are or were staff or may not see the
    ticket.
    """
    ticket, author = comment.ticket, comment.author
    is_theirs = author.is_active and not author.is_staff
    is_theirs = is_theirs and Ticket.objects.visible_to(author).filter(pk=ticket.pk).exists()
    return author if is_theirs else ticket.requester


def split_already(comment: Comment) -> Ticket | None:
    """Returns the ticket that `comment` was split into."""
    links = {"links__kind": TicketLink.Kind.SPLIT, "links__target": comment.ticket_id}
    return Ticket.objects.filter(**links, submission_key=split_key(comment.key)).first()


@transaction.atomic
def split(comment: Comment, *, subject: str, by) -> Ticket:
    """Creates a ticket from the public reply `comment`, which stays in place. Copies its files.

    A message is split once: the second call returns the first ticket. Raises StoreUnavailable or FileLost if
    a file can't be copied.
    """
    ticket = Ticket.objects.select_for_update().get(pk=comment.ticket_id)
    if there := split_already(comment):
        return there
    new = Ticket.objects.create(
        subject=subject,
        description=comment.body,
        category=ticket.category,
        priority=ticket.priority,
        status=Status.objects.default_for(Phase.NEW),
        requester=requester_of(comment),
        source=Ticket.Source.ADMIN,
        submission_key=split_key(comment.key),
    )
    Attachment.attach(map(_copy, comment.attachments.all()), ticket=new, uploader=by)
    TicketLink.objects.create(ticket=new, target=ticket, kind=TicketLink.Kind.SPLIT)
    return new


def _copy(attachment: Attachment) -> ContentFile:
    return ContentFile(attachment.content(), name=attachment.name)
