"""Orders of a list by a column that has no index in this order, for lists of at most MOST tickets.

The database finds these few tickets by the filters of the list and sorts them. An index by the names of
people would have to be rewritten for all their tickets when a name changes, and one of each filter with each
column would slow down every save.
"""

from types import MappingProxyType

from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from helpdesk.lists import paging
from helpdesk.lists.orders import ColumnOrder
from tickets.models import Comment
from tickets.models.planner import number_without_index
from tickets.models.ticket_querysets import TicketQuerySet

MOST = paging.MOST_COUNTED


def _shown_name(person: str) -> Lower:
    """The name as lists show it, in lower case (SQLite: of ASCII letters only)."""
    return Lower(Coalesce(NullIf(f"{person}__full_name", Value("")), f"{person}__email"))


def _last_reply() -> Coalesce:
    """When the last public reply was sent; without one, when the ticket was created."""
    public = Comment.objects.filter(ticket=OuterRef("pk"), is_public=True).order_by("-pk")
    return Coalesce(Subquery(public.values("created_at")[:1]), F("created_at"))


# None is a plain field: to sort by it, the database might walk an index over all tickets.
ORDERS_OF_FEW = MappingProxyType(
    {
        "subject": Lower("subject"),
        "requester": _shown_name("requester"),
        "assignee": _shown_name("assignee"),
        "replied": _last_reply(),
        "priority": number_without_index("urgency_rank"),
        "status": number_without_index("status_id"),
    }
)


def are_few(tickets: QuerySet) -> bool:
    return paging.capped_counts([tickets])[0] <= MOST


def sort_few(tickets: TicketQuerySet, order: ColumnOrder) -> TicketQuerySet:
    """Sorts few tickets. Unassigned ones come last by assignee, first if it is reversed."""
    value = ORDERS_OF_FEW[order.column]
    if order.is_descending:
        return tickets.order_by(value.desc(nulls_first=True), "-pk")
    return tickets.order_by(value.asc(nulls_last=True), "pk")
