"""The records that prevent the deletion of a person (accounts.deletion)."""

from collections.abc import Iterator

from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from tickets.models import (
    ActivityLog,
    Attachment,
    BlockedSender,
    Category,
    Comment,
    Handover,
    InboundEmail,
    Macro,
    SavedReply,
    SavedView,
    Ticket,
)


def kinds_of_records(person) -> list[str]:
    """Returns the kinds of records of `person`, as text.

    Drafts, visits, watching and preferences do not count.
    """
    return list(dict.fromkeys(kind for kind, rows in _records(person) if rows.exists()))


def _records(person) -> Iterator[tuple[str, QuerySet]]:
    """Yields one queryset for each kind. An OR over two columns would not use their indexes."""
    yield _("tickets"), Ticket.objects.filter(requester=person).order_by()
    yield _("tickets"), Ticket.objects.filter(assignee=person).order_by()
    yield _("replies and internal notes"), Comment.objects.filter(author=person)
    yield _("files"), Attachment.objects.filter(uploader=person)
    yield _("categories with this default assignee"), Category.objects.filter(default_assignee=person)
    yield _("entries of the activity log"), ActivityLog.objects.filter(actor=person)
    yield _("changes in the admin"), LogEntry.objects.filter(user=person)
    yield _("decisions about incoming email"), InboundEmail.objects.filter(handled_by=person)
    yield _("handovers"), Handover.objects.filter(person=person, tickets__gt=0)
    yield _("handovers"), Handover.objects.filter(asked_by=person)
    yield _("blocked senders"), BlockedSender.objects.filter(blocked_by=person)
    for model in (SavedReply, Macro, SavedView):
        yield str(model._meta.verbose_name_plural), model.objects.filter(owner=person)
