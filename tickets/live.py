"""Whether a list of tickets may look different than a moment ago, told by one cheap query."""

import re
from dataclasses import dataclass

from accounts.paging import MOST_COUNTED, ask
from tickets.models import ActivityLog, Ticket
from tickets.querysets import TicketQuerySet

# "3-2026-11-25 ..."; NULL where there is nothing
COUNT_AND_NEWEST = "(SELECT COUNT(*) || '-' || MAX(updated_at) FROM ({}) AS newest)"


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
    parts = Ticket.objects.parts_for(user)
    if user.is_staff:
        newest = ActivityLog.objects.order_by("-pk").values_list("pk", flat=True).first()
        return ListState(str(newest or 0), parts)
    newest = (part.newest_change_first().values("updated_at")[: MOST_COUNTED + 1] for part in parts)
    answers = ask(*((COUNT_AND_NEWEST, moments) for moments in newest))
    # Moments come as the database keeps them; their digits do, and need no care in an address.
    held = [part for part, answer in zip(parts, answers, strict=True) if answer]
    return ListState(".".join(re.sub(r"[^\d-]", "", answer or "0") for answer in answers), held or parts[:1])
