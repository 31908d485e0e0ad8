"""Whether a list of tickets may look different than a moment ago, told by one cheap query."""

from django.db.models import Count, Max

from tickets.models import ActivityLog, Ticket


def list_state(user) -> str:
    """Changes with every change of the tickets that `user` sees in lists.

    Staff: the newest row of the log. Others must not learn that somebody wrote a note, so their state is made
    of what their lists show.
    """
    if user.is_staff:
        newest = ActivityLog.objects.order_by("-pk").values_list("pk", flat=True).first()
        return str(newest or 0)
    own = Ticket.objects.visible_to(user).order_by().aggregate(count=Count("pk"), last=Max("updated_at"))
    return f"{own['count']}-{own['last'].timestamp() if own['last'] else 0}"
