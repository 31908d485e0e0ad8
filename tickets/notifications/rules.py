"""Who is told of what: one table (../shared/PRODUCT.md 6), and the people it means for an activity."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from tickets.events import Verb
from tickets.models import ActivityLog, MailPreferences, Ticket, Watcher
from tickets.notifications import wishes
from tickets.notifications.directory import Directory, FullDirectory


class Audience(TextChoices):
    """Why somebody is told; the label ends "You get this mail because"."""

    REQUESTER = "requester", _("it is your ticket")
    ASSIGNEE = "assignee", _("you take care of this ticket")
    CATEGORY = "category", _("you are told about new tickets of this category")
    UNCLAIMED = "unclaimed", _("nobody takes care of this ticket yet, and you are told about its category")
    WATCHER = "watcher", _("you watch this ticket")


# Nobody is told what he did himself, so "if staff did it" needs no word here. The one exception is the
# receipt: who files a ticket gets it.
RULES: dict[Verb, tuple[Audience, ...]] = {
    Verb.CREATED: (Audience.REQUESTER, Audience.ASSIGNEE, Audience.CATEGORY),
    Verb.REPLIED: (Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER, Audience.UNCLAIMED),
    Verb.NOTED: (Audience.ASSIGNEE, Audience.WATCHER, Audience.UNCLAIMED),
    Verb.STATUS_CHANGED: (Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER),
    Verb.ASSIGNED: (Audience.REQUESTER, Audience.ASSIGNEE),
    Verb.EDITED: (Audience.REQUESTER, Audience.ASSIGNEE),
    Verb.DELETED: (Audience.REQUESTER, Audience.ASSIGNEE),
    Verb.FILE_ADDED: (),
    Verb.FILE_REMOVED: (),
    Verb.TAKEN_BACK: (),
    Verb.WATCHER_ADDED: (),
    Verb.WATCHER_REMOVED: (),
    Verb.LINKED: (),
    Verb.UNLINKED: (),
    Verb.REMINDED: (Audience.REQUESTER,),
    Verb.CONFIRMED: (),
    Verb.NOT_FIXED: (),  # its reply is told
    Verb.MERGED: (Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER),
    Verb.UNMERGED: (Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER),
}


# The kinds of mail that people choose (MailPreferences.KINDS). For CREATED it is the audience that decides.
KINDS: dict[Verb, str | dict[Audience, str]] = {
    Verb.CREATED: {
        Audience.REQUESTER: "receipts",
        Audience.ASSIGNEE: "assignments",
        Audience.CATEGORY: "new_tickets",
    },
    Verb.REPLIED: "answers",
    Verb.NOTED: "notes",
    Verb.STATUS_CHANGED: "statuses",
    Verb.REMINDED: "statuses",
    Verb.ASSIGNED: "assignments",
    Verb.EDITED: "edits",
    Verb.DELETED: "edits",
    Verb.MERGED: "edits",
    Verb.UNMERGED: "edits",
}
FOR_STAFF = ("notes", "new_tickets")


CONCERNED = ("requester", "assignee", "category")  # fields of a ticket


@dataclass(frozen=True)
class Facts:
    """Who is concerned by a ticket, by primary key."""

    ticket: int | None
    requester: int | None
    assignee: int | None
    category: int | None


def kind_of(verb: str, audience: str) -> str:
    kind = KINDS[verb]
    return kind[audience] if isinstance(kind, dict) else kind


def kinds_for(person) -> list[str]:
    """The kinds of mail that the person can get at all."""
    return [kind for kind in MailPreferences.KINDS if person.is_staff or kind not in FOR_STAFF]


def recipients_for(activity: ActivityLog) -> dict:
    """{person: Audience} for one activity. Nobody stands in it twice."""
    if _is_unassignment(activity):
        return {}
    # A ticket that is filed just now is as its log says.
    facts = _logged_facts(activity, 1) if activity.verb == Verb.CREATED else _facts(activity)
    return recipients(activity.verb, actor_id=activity.actor_id, facts=facts)


def recipients_of_next(verb: Verb, ticket: Ticket, *, actor, directory: Directory | None = None) -> dict:
    """{person: Audience} who would be told if `actor` did `verb` to `ticket` now."""
    facts = Facts(ticket.pk, ticket.requester_id, ticket.assignee_id, ticket.category_id)
    return recipients(verb, actor_id=actor.pk, facts=facts, directory=directory)


def recipients_of_follow_up(ticket: Ticket, *, actor) -> dict:
    """{person: Audience} who would be told if `actor` filed a new ticket after `ticket` now."""
    facts = Facts(None, actor.pk, ticket.category.default_assignee_id, ticket.category_id)
    return recipients(Verb.CREATED, actor_id=actor.pk, facts=facts)


def recipients_of_many(verb: Verb, facts: Iterable[Facts], *, actor) -> list[dict]:
    """{person: Audience} for each of the tickets, if `actor` did `verb` and they were as `facts` then.

    The number of queries does not grow with the tickets.
    """
    facts = list(facts)
    directory = FullDirectory(facts, actor_id=actor.pk)
    return [
        {}
        if verb == Verb.ASSIGNED and one.assignee is None
        else recipients(verb, actor_id=actor.pk, facts=one, directory=directory)
        for one in facts
    ]


def recipients(verb: str, *, actor_id: int | None, facts: Facts, directory: Directory | None = None) -> dict:
    """{person: Audience}: the people whom RULES mean, in their order, without those who may not know of it
    and those who want no mail of it.
    """
    directory = directory or Directory()
    ids: dict[int, Audience] = {}
    for audience in RULES[verb]:
        for pk in _members(audience, facts, directory):
            ids.setdefault(pk, audience)
    is_receipt = verb == Verb.CREATED and actor_id == facts.requester
    wanted = {*ids, actor_id} - {None}
    people = directory.people(wanted, facts.ticket) if ids else {}
    muted = directory.muted(people, facts.ticket)
    actor = people.get(actor_id)
    answers = verb == Verb.REPLIED and actor_id != facts.requester
    if answers and actor is not None and actor.is_staff:
        # An answer by staff is no news for those who wait for somebody to answer.
        ids = {pk: audience for pk, audience in ids.items() if audience != Audience.UNCLAIMED}
    if not is_receipt:
        ids.pop(actor_id, None)
    return {
        people[pk]: audience
        for pk, audience in ids.items()
        if pk in people
        and pk not in muted
        and wishes.wish(people[pk], kind_of(verb, audience)) != MailPreferences.Wish.OFF
        and may_be_told(people[pk], audience, verb=verb, facts=facts)
    }


def is_reachable(person) -> bool:
    """Whether anything about tickets may be mailed to somebody."""
    return person.is_active and person.may_be_mailed


def may_be_told(person, audience: str, *, verb: str, facts: Facts) -> bool:
    """Whether somebody who belongs to `audience` now may know of it, and by mail."""
    if not is_reachable(person):
        return False
    is_of_the_ticket = audience == Audience.WATCHER or (
        audience == Audience.REQUESTER and person.pk == facts.requester
    )
    # Who is staff is asked of the database, so last.
    return (is_of_the_ticket and verb != Verb.NOTED) or person.is_staff


def may_still_be_told(person, audience: str, activity: ActivityLog) -> bool:
    """may_be_told() as the ticket is now; of one that is gone, the right was there when it went."""
    facts = _facts(activity)
    if facts.requester is None:
        return is_reachable(person) and (person.is_staff or activity.verb != Verb.NOTED)
    if audience == Audience.WATCHER and not person.is_staff:
        watches = Watcher.objects.filter(ticket=facts.ticket, person=person).exists()
        return watches and may_be_told(person, audience, verb=activity.verb, facts=facts)
    return may_be_told(person, audience, verb=activity.verb, facts=facts)


def _facts(activity: ActivityLog) -> Facts:
    """The ticket as it is now; of a deleted one the last values, which its log keeps."""
    if activity.verb == Verb.DELETED:
        return _logged_facts(activity, 0)
    row = Ticket.objects.filter(pk=activity.ticket_id).values_list(*CONCERNED).first()
    return Facts(activity.ticket_id, *(row or (None, None, None)))


def _logged_facts(activity: ActivityLog, side: int) -> Facts:
    """From the whole ticket in the log: before (0) or after (1) what happened."""
    values = (activity.changes.get(name, [None, None])[side] for name in CONCERNED)
    return Facts(activity.ticket_id, *values)


def _members(audience: Audience, facts: Facts, directory: Directory) -> Iterator[int]:
    if audience == Audience.REQUESTER and facts.requester:
        yield facts.requester
    elif audience == Audience.ASSIGNEE and facts.assignee:
        yield facts.assignee
    elif audience == Audience.WATCHER:
        yield from directory.watchers(facts.ticket)
    elif audience == Audience.CATEGORY or (audience == Audience.UNCLAIMED and not facts.assignee):
        yield from directory.told_of(facts.category)


def _is_unassignment(activity: ActivityLog) -> bool:
    """Nobody takes care of the ticket now: there is no "who" to tell anybody."""
    return activity.verb == Verb.ASSIGNED and activity.changes.get("assignee", (None, None))[1] is None
