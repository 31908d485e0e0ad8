"""One sentence that says why a ticket has its assignee, or has none. For staff only."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from tickets.history.sentences import SentenceBuilder
from tickets.models import ActivityLog, Because, Ticket
from tickets.rules.events import Verb


def why_assigned(ticket: Ticket, *, reader) -> str:
    """Queries the log. A page that has already loaded the story calls why() instead."""
    if not ticket.assignee_id and not ticket.assigned_because:
        return ""
    row = ActivityLog.objects.last_assignment(ticket)
    return why(ticket, [row], SentenceBuilder([row], reader=reader)) if row else ""


def why(ticket: Ticket, rows: Iterable, words: SentenceBuilder) -> str:
    """Returns an empty text if the reason is unknown, as for imported tickets. `words` knows the `rows`."""
    own = [row for row in rows if row.ticket_id == ticket.pk and "assignee" in row.changes]
    undone = {row.batch for row in own if row.verb == Verb.UNDONE}
    row = max((row for row in own if row.batch not in undone), key=lambda row: row.pk, default=None)
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


def _by_hand(ticket: Ticket, row, words: SentenceBuilder) -> str:
    """The person who filed a ticket did not choose its assignee, unless it was filed for somebody else."""
    is_own_filing = row.verb == Verb.CREATED and row.actor_id == ticket.requester_id
    if row.actor_id is None or is_own_filing:
        return ""
    if row.actor_id == ticket.assignee_id:
        return _("Self-assigned.")
    names = {"actor": words.actor(row), "person": words.name_of(ticket.assignee_id)}
    return _("%(actor)s assigned this to %(person)s.") % names
