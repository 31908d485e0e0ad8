"""Waiting in plain words, for the timeline: why, until when, what a reminder promised, how it ended."""

from datetime import date

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from helpdesk import moments
from tickets.models import ActivityLog, Ticket


def reminder_sentences(activity: ActivityLog, *, actor: str, person: str) -> list[str]:
    """`person` is who was reminded, as the reader calls him."""
    texts = [_("%(actor)s reminded %(person)s.") % {"actor": actor, "person": person}]
    if closes_at := activity.changes.get("closes_at", [None, None])[1]:
        day = date_format(timezone.localdate(moments.read(closes_at)))
        texts.append(_("Without an answer the ticket closes on %(date)s.") % {"date": day})
    return texts


def waiting_sentence(activity: ActivityLog, name: str, *, is_done: bool) -> str:
    """What the change of one of Ticket.WAITING_FIELDS says; empty where it goes without saying.

    That a ticket waits no more is said by its status; here only why. `is_done`: it is done by this change.
    """
    _old, new = activity.changes[name]
    if name == "waiting_for" and new:
        return _("It waits for %(reason)s.") % {"reason": Ticket.WaitingFor(new).label}
    if name == "wakes_on" and new:
        return _("It wakes up on %(date)s.") % {"date": date_format(date.fromisoformat(new))}
    if "status" not in activity.changes:
        return _("It has no day to wake up any more.") if name == "wakes_on" else ""
    if activity.actor_id is not None:
        return ""
    if name == "wakes_on" and not is_done:
        return _("The day until which it waited has come.")
    return _("Nobody answered the reminder.") if name == "reminded_at" and is_done else ""
