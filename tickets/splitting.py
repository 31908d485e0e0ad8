"""Splitting: a message about something else becomes a ticket of its own, linked to where it was said."""

from django.core.files.base import ContentFile
from django.db import transaction

from tickets.models import Attachment, Comment, Status, Ticket, TicketLink
from tickets.models.comment import split_key
from tickets.workflow import Phase


def requester_of(comment: Comment):
    """Whose ticket it becomes: the author's, unless staff wrote it."""
    return comment.ticket.requester if comment.author.is_staff else comment.author


def split_already(comment: Comment) -> Ticket | None:
    """The ticket that `comment` was split into."""
    links = {"links__kind": TicketLink.Kind.SPLIT, "links__target": comment.ticket_id}
    return Ticket.objects.filter(**links, submission_key=split_key(comment.key)).first()


@transaction.atomic
def split(comment: Comment, *, subject: str, by) -> Ticket:
    """Makes a ticket of the public reply `comment`, which stays where it is; its files are copied.

    A message is split once: the second time the first ticket is returned. Raises StoreUnavailable or FileLost
    where a file can't be copied.
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
