"""Why somebody is the assignee of a ticket, or why nobody is, in one sentence. For staff alone."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from tickets.events import Verb
from tickets.models import ActivityLog, Because, Ticket
from tickets.words import Words


def why_assigned(ticket: Ticket, *, reader) -> str:
    """Asks the log, which a page that has read the story already need not: see why()."""
    if not ticket.assignee_id and not ticket.assigned_because:
        return ""
    rows = ActivityLog.objects.filter(ticket=ticket.pk, verb__in=(Verb.CREATED, Verb.ASSIGNED))
    row = next((row for row in rows.order_by("-pk") if "assignee" in row.changes), None)
    return why(ticket, [row], Words([row], reader=reader)) if row else ""


def why(ticket: Ticket, rows: Iterable, words: Words) -> str:
    """Empty where nothing is known, as of what was imported. `rows` of the log are known to `words`."""
    own = (row for row in rows if row.ticket_id == ticket.pk and "assignee" in row.changes)
    row = max(own, key=lambda row: row.pk, default=None)
    code, _colon, number = ticket.assigned_because.partition(":")
    person = words.name_of(ticket.assignee_id) if ticket.assignee_id else ""
    match code:
        case Because.LEFT:
            return _("From %(person)s, who has left.") % {"person": words.name_of(int(number))}
        case Because.MOVED:
            return _("Moved to %(category)s.") % {"category": ticket.category}
        case Because.DEFAULT if ticket.category.default_assignee_id == ticket.assignee_id:
            names = {"category": ticket.category, "person": person}
            return _("New tickets in %(category)s are assigned to %(person)s.") % names
        case Because.DEFAULT:
            return _("Automatically assigned to %(person)s.") % {"person": person}
        case Because.REPLY:
            return _("Self-assigned by replying.")
        case Because.TOOK:
            return _("Self-assigned.")
    return _by_hand(ticket, row, words) if person and row else ""


def _by_hand(ticket: Ticket, row, words: Words) -> str:
    """Who filed a ticket did not choose its assignee, unless it was filed for somebody else."""
    is_own_filing = row.verb == Verb.CREATED and row.actor_id == ticket.requester_id
    if row.actor_id is None or is_own_filing:
        return ""
    if row.actor_id == ticket.assignee_id:
        return _("Self-assigned.")
    names = {"actor": words.actor(row), "person": words.name_of(ticket.assignee_id)}
    return _("%(actor)s assigned it to %(person)s.") % names
