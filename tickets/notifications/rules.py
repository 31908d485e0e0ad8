"""Who is told of what: one table (../shared/PRODUCT.md 6), and the people it means for an activity."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

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
    FORMER = "former", _("this ticket was assigned to you")
    FALLBACK = "fallback", _("nobody else is left who is told about its category")


# Nobody is told what he did himself, so "if staff did it" needs no word here. The one exception is the
# receipt: who files a ticket gets it.
RULES: dict[Verb, tuple[Audience, ...]] = {
    Verb.CREATED: (Audience.REQUESTER, Audience.ASSIGNEE, Audience.CATEGORY, Audience.FALLBACK),
    Verb.REPLIED: (
        Audience.REQUESTER, Audience.ASSIGNEE, Audience.WATCHER, Audience.UNCLAIMED, Audience.FALLBACK,
    ),
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
}  # fmt: skip
# Who is told besides where EDITED moves the ticket to another category: as of a new ticket.
OF_A_MOVE = (Audience.FORMER, Audience.CATEGORY, Audience.FALLBACK)

# The kinds of mail that people choose (MailPreferences.KINDS). Where there are several the audience decides.
KINDS: dict[Verb, str | dict[Audience, str]] = {
    Verb.CREATED: {
        Audience.REQUESTER: "receipts",
        Audience.ASSIGNEE: "assignments",
        Audience.CATEGORY: "new_tickets",
        Audience.FALLBACK: "new_tickets",
    },
    Verb.REPLIED: "answers",
    Verb.NOTED: "notes",
    Verb.STATUS_CHANGED: "statuses",
    Verb.REMINDED: "statuses",
    Verb.ASSIGNED: "assignments",
    Verb.EDITED: {
        Audience.REQUESTER: "edits",
        Audience.ASSIGNEE: "edits",
        Audience.FORMER: "edits",
        Audience.CATEGORY: "new_tickets",
        Audience.FALLBACK: "new_tickets",
    },
    Verb.DELETED: "edits",
    Verb.MERGED: "edits",
    Verb.UNMERGED: "edits",
}
FOR_STAFF = ("notes", "new_tickets")


CONCERNED = ("requester", "assignee", "category")  # fields of a ticket


@dataclass(frozen=True)
class Facts:
    """Who is concerned by a ticket, by primary key. `former` ones are set where the act moved it."""

    ticket: int | None
    requester: int | None
    assignee: int | None
    category: int | None
    former_assignee: int | None = None
    former_category: int | None = None

    @property
    def is_move(self) -> bool:
        return self.former_category is not None


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
    if activity.verb == Verb.EDITED and "category" in activity.changes:
        facts = _facts_of_move(activity, facts)
    return recipients(activity.verb, actor_id=activity.actor_id, facts=facts)


def recipients_of_next(verb: Verb, ticket: Ticket, *, actor, directory: Directory | None = None) -> dict:
    """{person: Audience} who would be told if `actor` did `verb` to `ticket` now."""
    facts = Facts(ticket.pk, ticket.requester_id, ticket.assignee_id, ticket.category_id)
    return recipients(verb, actor_id=actor.pk, facts=facts, directory=directory)


def recipients_of_follow_up(ticket: Ticket, *, actor) -> dict:
    """{person: Audience} who would be told if `actor` filed a new ticket after `ticket` now."""
    facts = Facts(None, actor.pk, ticket.category.default_assignee_id, ticket.category_id)
    return recipients(Verb.CREATED, actor_id=actor.pk, facts=facts)


def recipients_of_many(verb: Verb, facts: Iterable[Facts], *, actor, leaver=None) -> list[dict]:
    """{person: Audience} for each of the tickets, if `actor` did `verb` and they were as `facts` then.

    `leaver` is somebody who would not work then. The number of queries does not grow with the tickets.
    """
    facts, actor_id = list(facts), actor.pk if actor else None
    directory = FullDirectory(facts, actor_id=actor_id, without=leaver.pk if leaver else None)
    return [
        {}
        if verb == Verb.ASSIGNED and one.assignee is None
        else recipients(verb, actor_id=actor_id, facts=one, directory=directory)
        for one in facts
    ]


def recipients_of_handover(
    *, assignees: Iterable[int], categories: Iterable[int], actor, leaver=None
) -> dict:
    """{person: Audience} for what somebody left behind, where `actor` handed it over (None: the system).

    The new assignees, and for the tickets that nobody has now the people of their categories. Each is told
    once of all, so no requester is, and what a person wishes about single tickets does not matter.
    """
    given = [Facts(None, None, assignee, None) for assignee in assignees]
    unassigned = [Facts(None, None, None, category) for category in categories]
    told: dict = {}
    for people in recipients_of_many(Verb.CREATED, [*given, *unassigned], actor=actor, leaver=leaver):
        told = people | told  # who is told for two reasons: for the first one
    return told


def recipients(verb: str, *, actor_id: int | None, facts: Facts, directory: Directory | None = None) -> dict:
    """{person: Audience}: the people whom RULES mean, in their order, without those who may not know of it
    and those who want no mail of it.
    """
    directory = directory or Directory()
    audiences = (*RULES[verb], *OF_A_MOVE) if facts.is_move else RULES[verb]
    ids: dict[int, Audience] = {}
    for audience in audiences:
        for pk in _members(audience, facts, directory):
            ids.setdefault(pk, audience)
    wanted = {*ids, actor_id, *_asked_about(audiences, facts, directory)} - {None}
    people = directory.people(wanted, facts.ticket) if ids or wanted - {actor_id} else {}
    if _is_answer(verb, people.get(actor_id), facts):
        # No news for those who wait for somebody to answer.
        ids = {pk: audience for pk, audience in ids.items() if audience != Audience.UNCLAIMED}
    elif instead := _told_instead(audiences, facts, people, directory):
        ids = instead | ids
        people = people | directory.people(ids.keys() - people.keys(), facts.ticket)
    if not (verb == Verb.CREATED and actor_id == facts.requester):  # else it is the receipt
        ids.pop(actor_id, None)
    muted = directory.muted(people, facts.ticket)
    return {
        people[pk]: audience
        for pk, audience in ids.items()
        if pk in people
        and pk not in muted
        and wishes.wish(people[pk], kind_of(verb, audience)) != MailPreferences.Wish.OFF
        and may_be_told(people[pk], audience, verb=verb, facts=facts)
    }


def _is_answer(verb: str, actor, facts: Facts) -> bool:
    """Whether staff answered the requester's side."""
    return verb == Verb.REPLIED and actor is not None and actor.pk != facts.requester and actor.works


def _asked_about(audiences: Iterable[Audience], facts: Facts, directory: Directory) -> Collection[int]:
    """Whose working decides about FALLBACK, so that they are found along with the others."""
    if Audience.FALLBACK not in audiences or facts.assignee:
        return ()
    return directory.configured(facts.category)


def _told_instead(
    audiences: Iterable[Audience], facts: Facts, people: dict, directory: Directory
) -> dict[int, Audience]:
    """Who is told where neither the assignee nor anybody whom the category names works (any more)."""
    assignee = people.get(facts.assignee)
    if facts.assignee and (assignee is None or assignee.works):
        return {}
    found: dict[int, Audience] = {}
    if Audience.UNCLAIMED in audiences and facts.assignee:
        found = dict.fromkeys(directory.told_of(facts.category), Audience.UNCLAIMED)
    if Audience.FALLBACK in audiences and _nobody_works(facts.category, people, directory):
        knew_before = facts.is_move and _nobody_works(facts.former_category, people, directory)
        if not knew_before:
            found |= dict.fromkeys(directory.last_resort(), Audience.FALLBACK)
    return found


def _nobody_works(category: int | None, people: dict, directory: Directory) -> bool:
    """Whether people are named in `category` and none of them works."""
    named = directory.configured(category)
    known = people | directory.people(set(named) - people.keys())
    return bool(named) and not any(pk in known and known[pk].works for pk in named)


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


def _facts_of_move(activity: ActivityLog, facts: Facts) -> Facts:
    """With where the ticket came from. What is done moves quietly: it is no new ticket for anybody."""
    if not Ticket.objects.open().filter(pk=activity.ticket_id).exists():
        return facts
    former, _present = activity.together.get("assignee", (None, None))
    return replace(facts, former_assignee=former, former_category=activity.changes["category"][0])


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
    elif audience == Audience.FORMER and facts.former_assignee:
        yield facts.former_assignee
    elif audience == Audience.CATEGORY or (audience == Audience.UNCLAIMED and not facts.assignee):
        knew_before = directory.told_of(facts.former_category) if facts.is_move else ()
        yield from (pk for pk in directory.told_of(facts.category) if pk not in knew_before)


def _is_unassignment(activity: ActivityLog) -> bool:
    """Nobody takes care of the ticket now: there is no "who" to tell anybody."""
    return activity.verb == Verb.ASSIGNED and activity.changes.get("assignee", (None, None))[1] is None
