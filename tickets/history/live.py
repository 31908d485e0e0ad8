"""Whether a list of tickets may have changed, answered by one cheap query."""

import re
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max

from helpdesk.lists.paging import MOST_COUNTED
from tickets.models import ActivityLog, Ticket
from tickets.models.planner import STATE_OF_PARTS
from tickets.models.ticket_querysets import TicketQuerySet


@dataclass(frozen=True)
class ListState:
    """The state of a person's lists: the `parts` that hold the tickets, and a text that changes with them."""

    text: str
    parts: list[TicketQuerySet]


def list_state(user) -> ListState:
    """Returns a state whose text changes with every change of the tickets that `user` sees in lists.

    For staff it is the newest row of the log. Requesters must not learn that a note was written, so their
    state consists of what their lists show: the number of tickets (up to MOST_COUNTED) and each part's newest
    public change.
    """
    if user.is_staff:
        newest = ActivityLog.objects.aggregate(newest=Max("pk"))["newest"]
        return ListState(str(newest or 0), Ticket.objects.parts_for(user))
    with connection.cursor() as cursor:
        cursor.execute(STATE_OF_PARTS, {"person": user.pk, "most": MOST_COUNTED + 1})
        own, watched = cursor.fetchone()
    # The database returns times in its own format. Their digits are enough, and safe in an address.
    text = ".".join(re.sub(r"[^\d-]", "", state or "0") for state in (own, watched))
    return ListState(text, Ticket.objects.parts_for(user, watches=watched is not None))
