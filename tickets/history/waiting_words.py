"""Sentences about waiting, for the timeline: reason, end, reminder, and how it ended."""

from datetime import date

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from helpdesk import moments
from tickets.models import ActivityLog
from tickets.rules.waiting import waiting_for


def reminder_sentences(activity: ActivityLog, *, actor: str, person: str) -> list[str]:
    """Returns the sentences of a reminder. `person` is the name of the reminded person for this reader."""
    texts = [_("%(actor)s reminded %(person)s.") % {"actor": actor, "person": person}]
    if closes_at := activity.changes.get("closes_at", [None, None])[1]:
        day = date_format(timezone.localdate(moments.read(closes_at)))
        texts.append(_("Without a reply, the ticket closes on %(date)s.") % {"date": day})
    return texts


def waiting_sentence(activity: ActivityLog, name: str, *, is_done: bool) -> str:
    """Returns the sentence for a change of one of Ticket.WAITING_FIELDS; empty if another sentence covers it.

    The status says that a ticket no longer waits; this only adds why. `is_done`: the change also solves it.
    """
    _old, new = activity.changes[name]
    if name == "waiting_for" and new:
        return capfirst(f"{waiting_for(new)}.")
    if name == "wakes_on" and new:
        return _("Snoozed until %(date)s.") % {"date": date_format(date.fromisoformat(new))}
    if "status" not in activity.changes:
        return _("No longer snoozed.") if name == "wakes_on" else ""
    if activity.actor_id is not None:
        return ""
    if name == "wakes_on" and not is_done:
        return _("The snooze date was reached.")
    return _("No one replied to the reminder.") if name == "reminded_at" and is_done else ""
