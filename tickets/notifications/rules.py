"""Who is told of what: one table (../shared/PRODUCT.md 6), and the people it means for an activity."""

from collections.abc import Iterator

from django.contrib.auth import get_user_model
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from tickets.events import Verb
from tickets.models import ActivityLog, Category, Ticket


class Audience(TextChoices):
    """Why somebody is told; the label ends "You get this mail because"."""

    REQUESTER = "requester", _("it is your ticket")
    ASSIGNEE = "assignee", _("you take care of this ticket")
    CATEGORY = "category", _("you are told about new tickets of this category")


# Nobody is told what he did himself, so "if staff did it" needs no word here. The one exception is the
# receipt: who files a ticket gets it.
RULES: dict[Verb, tuple[Audience, ...]] = {
    Verb.CREATED: (Audience.REQUESTER, Audience.ASSIGNEE, Audience.CATEGORY),
    Verb.STATUS_CHANGED: (Audience.REQUESTER, Audience.ASSIGNEE),
    Verb.ASSIGNED: (Audience.REQUESTER, Audience.ASSIGNEE),
    Verb.EDITED: (Audience.REQUESTER, Audience.ASSIGNEE),
    Verb.DELETED: (Audience.REQUESTER, Audience.ASSIGNEE),
    Verb.FILE_ADDED: (),
    Verb.FILE_REMOVED: (),
}


def recipients_for(activity: ActivityLog) -> dict:
    """{person: Audience} for one activity. Nobody stands in it twice."""
    audiences = RULES[activity.verb]
    if not audiences or _is_unassignment(activity):
        return {}
    requester_id, assignee_id, category_id = _facts(activity)
    ids: dict[int, Audience] = {}
    for audience in audiences:
        for pk in _members(audience, requester_id, assignee_id, category_id):
            ids.setdefault(pk, audience)
    is_receipt = activity.verb == Verb.CREATED and activity.actor_id == requester_id
    if not is_receipt:
        ids.pop(activity.actor_id, None)
    people = get_user_model().objects.active().prefetch_related("groups").in_bulk(ids)
    return {
        person: ids[pk]
        for pk, person in sorted(people.items())
        if may_be_told(person, ids[pk], requester_id=requester_id)
    }


def may_be_told(person, audience: str, *, requester_id: int | None) -> bool:
    """Whether the person may know of the ticket now: its requester, or staff. Asked again before sending."""
    if not person.is_active:
        return False
    return person.pk == requester_id if audience == Audience.REQUESTER else person.is_staff


def requester_of(activity: ActivityLog) -> int | None:
    """The requester as the ticket has it now, or had it when it was deleted."""
    return _facts(activity)[0]


def _facts(activity: ActivityLog) -> tuple[int | None, int | None, int | None]:
    """Requester, assignee and category; of a deleted ticket the last ones, which its log keeps."""
    names = ("requester", "assignee", "category")
    if activity.verb == Verb.DELETED:
        return tuple(activity.changes.get(name, [None])[0] for name in names)
    row = Ticket.objects.filter(pk=activity.ticket_id).values_list(*names).first()
    return row or (None, None, None)


def _members(audience, requester_id, assignee_id, category_id) -> Iterator[int]:
    if audience == Audience.REQUESTER and requester_id:
        yield requester_id
    elif audience == Audience.ASSIGNEE and assignee_id:
        yield assignee_id
    elif audience == Audience.CATEGORY and category_id:
        yield from Category.people.through.objects.filter(category=category_id).values_list("user", flat=True)


def _is_unassignment(activity: ActivityLog) -> bool:
    """Nobody takes care of the ticket now: there is no "who" to tell anybody."""
    return activity.verb == Verb.ASSIGNED and activity.changes["assignee"][1] is None
