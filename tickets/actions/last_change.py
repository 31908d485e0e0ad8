"""Who changed a detail of a ticket last, and when: one sentence for a page that shows an older value."""

from django.utils.translation import gettext_lazy as _

from tickets.actions.claiming import ago, who_has_it
from tickets.models import ActivityLog, Ticket

BY_PERSON = {
    "assignee": _("%(actor)s removed the assignee %(ago)s."),
    "status": _("%(actor)s changed the status to %(value)s %(ago)s."),
    "priority": _("%(actor)s changed the priority to %(value)s %(ago)s."),
}
AUTOMATIC = {
    "assignee": _("The assignee was removed %(ago)s."),
    "status": _("The status was changed to %(value)s %(ago)s."),
    "priority": _("The priority was changed to %(value)s %(ago)s."),
}
NOT_LOGGED = {
    "assignee": _("This is unassigned now."),
    "status": _("The status is now %(value)s."),
    "priority": _("The priority is now %(value)s."),
}


def last_change(ticket: Ticket, field: str) -> str:
    """Returns a sentence like "Ravi Shah changed the status to On Hold 2 minutes ago."."""
    if field == "assignee" and ticket.assignee_id:
        return who_has_it(ticket)
    row = ActivityLog.objects.last_change(ticket, field)
    words = {"value": ticket.get_priority_display() if field == "priority" else ticket.status}
    stored = getattr(ticket, Ticket._meta.get_field(field).attname)
    if row is None or row.changes[field][1] != stored:
        return NOT_LOGGED[field] % words
    sentences = BY_PERSON if row.actor_name else AUTOMATIC
    return sentences[field] % {**words, "actor": row.actor_name, "ago": ago(row)}
