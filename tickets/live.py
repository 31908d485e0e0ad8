"""Whether a list of tickets may look different than a moment ago, told by one cheap query."""

import re

from accounts.paging import COUNT, MOST_COUNTED, VALUE, ask
from tickets.models import ActivityLog, Ticket


def list_state(user) -> str:
    """Changes with every change of the tickets that `user` sees in lists.

    Staff: the newest row of the log. Others must not learn that somebody wrote a note, so their state is made
    of what their lists show: how many tickets (up to MOST_COUNTED), and the newest change of each part.
    """
    if user.is_staff:
        newest = ActivityLog.objects.order_by("-pk").values_list("pk", flat=True).first()
        return str(newest or 0)
    questions = []
    for part in Ticket.objects.parts_for(user):
        questions += [
            (COUNT, part.order_by().values("pk")[: MOST_COUNTED + 1]),
            (VALUE, part.newest_change_first().values("updated_at")[:1]),
        ]
    # Moments come as the database keeps them; their digits do, and need no care in an address.
    return "-".join(re.sub(r"\D", "", str(answer)) for answer in ask(*questions))
