"""The status of a ticket as one sentence for its requester and watchers: what happens now."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tickets.models import Ticket
from tickets.rules.typed import isolated
from tickets.rules.workflow import Phase


def status_sentence(
    phase: str, *, assignee: str, waiting_for: str = "", wakes_on: date | None = None, is_own: bool = True
) -> str:
    """`assignee` is a name, empty for an unassigned ticket. `is_own`: the reader is the requester."""
    words = {"name": isolated(assignee)}
    if phase == Phase.NEW and assignee:
        return _("Assigned to %(name)s.") % words
    if phase == Phase.NEW:
        return _("We have received your ticket.") if is_own else _("IT has received this ticket.")
    if phase == Phase.WAITING:
        return _waiting_sentence(waiting_for, wakes_on, is_own=is_own)
    if phase == Phase.DONE:
        return _("Solved by %(name)s.") % words if assignee else _("Solved.")
    return _("%(name)s is working on it.") % words if assignee else _("IT is working on it.")


def _waiting_sentence(waiting_for: str, wakes_on: date | None, *, is_own: bool) -> str:
    words = {"date": date_format(wakes_on) if wakes_on else ""}
    if waiting_for == Ticket.WaitingFor.REQUESTER:
        return _("We’re waiting for your reply.") if is_own else _("Waiting for the requester’s reply.")
    if waiting_for == Ticket.WaitingFor.SUPPLIER:
        if wakes_on:
            return _("Waiting for a third party until %(date)s.") % words
        return _("Waiting for a third party.")
    return _("Waiting until %(date)s.") % words if wakes_on else _("This ticket is on hold.")
