"""Whether a list of tickets may look different than a moment ago, told by one cheap query."""

import re
from dataclasses import dataclass

from django.db import connection

from accounts.paging import MOST_COUNTED
from tickets.models import ActivityLog, Ticket, Watcher
from tickets.querysets import TicketQuerySet

# Every open page asks this again and again, so no querysets are built for it.
TICKETS, WATCHERS = Ticket._meta.db_table, Watcher._meta.db_table
NEWEST_ACTIVITY = f"SELECT MAX(id) FROM {ActivityLog._meta.db_table}"  # noqa: S608 - our own name
# Of the parts of TicketQuerySet.parts_for(), each "3-2026-11-25 ...": how many, and the newest change.
STATE_OF_PART = "(SELECT COUNT(*) || '-' || MAX(updated_at) FROM ({part} LIMIT {most}) AS part)"
NEWEST = "ORDER BY t.updated_at DESC, t.id DESC"
OWN = f"SELECT t.updated_at FROM {TICKETS} t WHERE t.requester_id = %s {NEWEST}"  # noqa: S608 - our own names
WATCHED = (
    f"SELECT t.updated_at FROM {TICKETS} t JOIN {WATCHERS} w ON w.ticket_id = t.id "  # noqa: S608
    f"WHERE w.person_id = %s AND t.requester_id <> %s {NEWEST}"
)


@dataclass(frozen=True)
class ListState:
    """What stands in lists for a person: the `parts` that hold tickets, and a text for how they are."""

    text: str
    parts: list[TicketQuerySet]


def list_state(user) -> ListState:
    """Its text changes with every change of the tickets that `user` sees in lists.

    Staff: the newest row of the log. Others must not learn that somebody wrote a note, so their state is made
    of what their lists show: how many tickets (up to MOST_COUNTED), and the newest change of each part.
    """
    if user.is_staff:
        (newest,) = _answer(NEWEST_ACTIVITY)
        return ListState(str(newest or 0), Ticket.objects.parts_for(user))
    parts = (STATE_OF_PART.format(part=part, most=MOST_COUNTED + 1) for part in (OWN, WATCHED))
    own, watched = _answer(f"SELECT {', '.join(parts)}", [user.pk] * 3)
    # Moments come as the database keeps them; their digits do, and need no care in an address.
    text = ".".join(re.sub(r"[^\d-]", "", state or "0") for state in (own, watched))
    return ListState(text, Ticket.objects.parts_for(user, watches=watched is not None))


def _answer(sql: str, params=()) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()
