"""What the site's lists show of a ticket, read without an instance for each ticket and person."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tickets.badges import priority_mark, status_badge
from tickets.models import Category, Status, Ticket
from tickets.querysets import TicketQuerySet
from tickets.search.passages import Passage
from tickets.typed import isolated

COLUMNS = ("id", "subject", "priority", "done_at", "updated_at", "status_id", "category_id", "assignee_id")
NONE = MappingProxyType({})


def columns_of(
    tickets: TicketQuerySet, *, has_requester: bool = False, has_text: bool = False
) -> TicketQuerySet:
    """What rows() needs of `tickets`."""
    more = ("assignee__full_name", *["requester__full_name"] * has_requester, *["description"] * has_text)
    return tickets.values_list(*COLUMNS, *more, named=True)


def rows(
    found: Iterable, *, statuses: Mapping[int, Status] = NONE, categories: Mapping[int, str] = NONE
) -> list["Row"]:
    """Rows of what columns_of() found; `statuses` and names of `categories` are what was read before."""
    found = list(found)
    if not statuses.keys() >= {columns.status_id for columns in found}:
        statuses = Status.objects.in_bulk()
    if not categories.keys() >= {columns.category_id for columns in found}:
        categories = dict(Category.objects.values_list("pk", "name"))
    return [Row(columns, statuses[columns.status_id], categories[columns.category_id]) for columns in found]


class Row:
    """One line of a list. What a search found is marked by tickets.search.passages."""

    passage: Passage | None = None

    def __init__(self, columns, status: Status, category: str):
        self.pk, self.number, self.updated_at = columns.id, str(columns.id), columns.updated_at
        self.subject, self.description = columns.subject, getattr(columns, "description", "")
        self.marked_subject: str | SafeString = self.subject
        self.status_badge = status_badge(status)
        if columns.priority != Ticket.Priority.NORMAL:
            self.priority_mark = priority_mark(columns.priority, Ticket.Priority(columns.priority).label)
        requester = getattr(columns, "requester__full_name", "")
        self.facts = " · ".join(
            filter(None, (f"#{self.number}", isolated(requester), isolated(category), _who_works(columns)))
        )


def _who_works(columns) -> str:
    if columns.assignee_id is None:
        return _("nobody yet")
    words = _("solved by %(name)s") if columns.done_at else _("%(name)s takes care")
    return words % {"name": isolated(columns.assignee__full_name)}
