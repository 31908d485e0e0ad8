"""Who is notified of an activity: the people in the audiences of its Event (tickets.rules.events)."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tickets.history.story import is_internal
from tickets.models import ActivityLog, MailPreferences, Ticket, Watcher
from tickets.notifications import wishes
from tickets.notifications.directory import Directory, FullDirectory
from tickets.rules.events import EVENTS, Audience, Verb, not_emailed

FOR_ALL = {Audience.REQUESTER, Audience.WATCHER}  # the other audiences are staff
CONCERNED = ("requester", "assignee", "category")  # fields of a ticket


@dataclass(frozen=True)
class Facts:
    """The people and category of a ticket, by primary key. The `former` ones are set if the act moved it."""

    ticket: int | None
    requester: int | None
    assignee: int | None
    category: int | None
    former_assignee: int | None = None
    former_category: int | None = None

    @property
    def is_move(self) -> bool:
        return self.former_category is not None


def kinds_for(person) -> list[str]:
    """Returns the kinds of email that the person can receive."""
    public = [event.audiences for event in EVENTS.values() if event.is_public]
    for_all = {wishes[audience] for wishes in public for audience in wishes.keys() & FOR_ALL}
    return [kind for kind in MailPreferences.KINDS if person.is_staff or kind in for_all]


def recipients_for(activity: ActivityLog) -> dict:
    """Returns {person: Audience} for one activity. Each person occurs once."""
    return {} if _is_unassignment(activity) else _recipients_for(activity, _facts_after(activity))


def recipients_for_all(activities: Sequence[ActivityLog]) -> list[dict]:
    """Returns recipients_for() each activity. The number of queries does not grow with them, except for
    those that move a ticket to another category.
    """
    tickets = Ticket.objects.filter(pk__in={activity.ticket_id for activity in activities})
    rows = {pk: Facts(pk, *row) for pk, *row in tickets.values_list("pk", *CONCERNED)}
    facts = [_facts_after(activity, rows) for activity in activities]
    directory = FullDirectory(facts, actor_id=activities[0].actor_id)
    return [
        {} if _is_unassignment(activity) else _recipients_for(activity, one, directory)
        for activity, one in zip(activities, facts, strict=True)
    ]


def _facts_after(activity: ActivityLog, rows: dict[int, Facts] | None = None) -> Facts:
    """Returns the ticket after the event. `rows` are all tickets as they are now; None: it is queried."""
    if activity.verb == Verb.CREATED:  # the log has the values
        return _logged_facts(activity, 1)
    if rows is None or activity.verb == Verb.DELETED:
        return _facts(activity)
    return rows.get(activity.ticket_id) or Facts(activity.ticket_id, None, None, None)


def _recipients_for(activity: ActivityLog, facts: Facts, directory: Directory | None = None) -> dict:
    if activity.verb == Verb.EDITED and "category" in activity.changes:
        facts = _facts_of_move(activity, facts)
    notified = recipients(activity.verb, actor_id=activity.actor_id, facts=facts, directory=directory)
    left_out = not_emailed(activity.changes)
    for_staff = is_internal(activity.verb, activity.changes)
    return {
        person: audience
        for person, audience in notified.items()
        if person.pk not in left_out and (person.is_staff or not for_staff)
    }


def recipients_of_next(
    verb: Verb,
    ticket: Ticket,
    *,
    actor,
    directory: Directory | None = None,
    without: Collection[Audience] = (),
) -> dict:
    """Returns {person: Audience} who would be notified if `actor` did `verb` to `ticket` now.

    `without` are audiences of which the reader must not learn.
    """
    facts = Facts(ticket.pk, ticket.requester_id, ticket.assignee_id, ticket.category_id)
    return recipients(verb, actor_id=actor.pk, facts=facts, directory=directory, without=without)


def recipients_of_follow_up(ticket: Ticket, *, actor, requester=None) -> dict:
    """Returns {person: Audience} who would be notified if `actor` filed a follow-up to `ticket` now.

    `requester` is the requester of the new ticket; None: the actor.
    """
    facts = Facts(None, (requester or actor).pk, ticket.category.default_assignee_id, ticket.category_id)
    return recipients(Verb.CREATED, actor_id=actor.pk, facts=facts)


def recipients_of_many(verb: Verb, facts: Iterable[Facts], *, actor, leaver=None) -> list[dict]:
    """Returns {person: Audience} for each ticket, if `actor` did `verb` and the ticket were as in `facts`.

    `leaver` is a person who would not work any more. The number of queries is constant.
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
    """Returns {person: Audience} for a handover by `actor` (None: the system).

    These are the new assignees, and the people of the categories of tickets that are unassigned now. Each
    gets one email for all tickets, so requesters are not included, and preferences about single tickets don't
    matter.
    """
    given = [Facts(None, None, assignee, None) for assignee in assignees]
    unassigned = [Facts(None, None, None, category) for category in categories]
    notified: dict = {}
    for people in recipients_of_many(Verb.CREATED, [*given, *unassigned], actor=actor, leaver=leaver):
        notified = people | notified  # the first reason to notify a person wins
    return notified


def recipients(
    verb: str,
    *,
    actor_id: int | None,
    facts: Facts,
    directory: Directory | None = None,
    without: Collection[Audience] = (),
) -> dict:
    """Returns {person: Audience} for an Event, in its order. `without` are audiences that don't count.

    Leaves out people who may not see it and those who want no email about it.
    """
    directory, event = directory or Directory(), EVENTS[verb]
    audiences = [*event.audiences, *event.audiences_of_move] if facts.is_move else list(event.audiences)
    audiences = [audience for audience in audiences if audience not in without]
    ids: dict[int, Audience] = {}
    for audience in audiences:
        for pk in _members(audience, facts, directory):
            ids.setdefault(pk, audience)
    wanted = {*ids, actor_id, *_deciding_people(audiences, facts, directory)} - {None}
    mutable = None if verb == Verb.CREATED else facts.ticket  # nobody has muted a new ticket
    people = directory.people(wanted, mutable) if ids or wanted - {actor_id} else {}
    if _is_answer(verb, people.get(actor_id), facts):
        # Not for requesters who wait for a reply.
        ids = {pk: audience for pk, audience in ids.items() if audience != Audience.UNCLAIMED}
    elif instead := _notified_instead(audiences, facts, people, directory):
        ids = instead | ids
        people = people | directory.people(ids.keys() - people.keys(), mutable)
    if not (verb == Verb.CREATED and actor_id == facts.requester):  # the requester who files gets the receipt
        ids.pop(actor_id, None)
    muted = directory.muted(people, mutable)
    return {
        people[pk]: audience
        for pk, audience in ids.items()
        if pk in people
        and pk not in muted
        and wishes.wish(people[pk], event.wish_of(audience)) != MailPreferences.Wish.OFF
        and may_be_notified(people[pk], audience, verb=verb, facts=facts)
    }


def _is_answer(verb: str, actor, facts: Facts) -> bool:
    """Whether it is a reply of staff to the requester's side."""
    return verb == Verb.REPLIED and actor is not None and actor.pk != facts.requester and actor.works


def _deciding_people(audiences: Iterable[Audience], facts: Facts, directory: Directory) -> Collection[int]:
    """Returns the people whose working decides about FALLBACK, so that one query loads all."""
    if Audience.FALLBACK not in audiences or facts.assignee:
        return ()
    return directory.configured(facts.category)


def _notified_instead(
    audiences: Iterable[Audience], facts: Facts, people: dict, directory: Directory
) -> dict[int, Audience]:
    """Returns who is notified if neither the assignee nor anybody of the category works."""
    assignee = people.get(facts.assignee)
    if facts.assignee and (assignee is None or assignee.works):
        return {}
    found: dict[int, Audience] = {}
    if Audience.UNCLAIMED in audiences and facts.assignee:
        found = dict.fromkeys(directory.notified_of(facts.category), Audience.UNCLAIMED)
    if Audience.FALLBACK in audiences and _nobody_works(facts.category, people, directory):
        knew_before = facts.is_move and _nobody_works(facts.former_category, people, directory)
        if not knew_before:
            found |= dict.fromkeys(directory.last_resort(), Audience.FALLBACK)
    return found


def _nobody_works(category: int | None, people: dict, directory: Directory) -> bool:
    """Whether `category` names people and none of them works."""
    named = directory.configured(category)
    known = people | directory.people(set(named) - people.keys())
    return bool(named) and not any(pk in known and known[pk].works for pk in named)


def is_reachable(person) -> bool:
    """Whether emails about tickets may be sent to the person."""
    return person.is_active and person.may_be_mailed


def may_be_notified(person, audience: str, *, verb: str, facts: Facts) -> bool:
    """Whether a person in `audience` may see the event, and be emailed about it."""
    if not is_reachable(person):
        return False
    is_of_the_ticket = audience == Audience.WATCHER or (
        audience == Audience.REQUESTER and person.pk == facts.requester
    )
    # Queries the database for the role last.
    return (is_of_the_ticket and EVENTS[verb].is_public) or person.is_staff


def may_still_be_notified(person, audience: str, activity: ActivityLog) -> bool:
    """may_be_notified() for the ticket as it is now. For a deleted ticket the rights at its
    deletion count.
    """
    facts = _facts(activity)
    if is_internal(activity.verb, activity.changes) and not person.is_staff:
        return False
    if facts.requester is None:
        return is_reachable(person)
    if audience == Audience.WATCHER and not person.is_staff:
        watches = Watcher.objects.filter(ticket=facts.ticket, person=person, as_staff=False)
        return watches.exists() and may_be_notified(person, audience, verb=activity.verb, facts=facts)
    return may_be_notified(person, audience, verb=activity.verb, facts=facts)


def _facts(activity: ActivityLog) -> Facts:
    """Returns the ticket as it is now; for a deleted one the last values of its log."""
    if activity.verb == Verb.DELETED:
        return _logged_facts(activity, 0)
    row = Ticket.objects.filter(pk=activity.ticket_id).values_list(*CONCERNED).first()
    return Facts(activity.ticket_id, *(row or (None, None, None)))


def _facts_of_move(activity: ActivityLog, facts: Facts) -> Facts:
    """Adds the former assignee and category. A done ticket moves quietly: it is not new for anybody."""
    if not Ticket.objects.open().filter(pk=activity.ticket_id).exists():
        return facts
    former, _present = activity.together.get("assignee", (None, None))
    return replace(facts, former_assignee=former, former_category=activity.changes["category"][0])


def _logged_facts(activity: ActivityLog, side: int) -> Facts:
    """Reads the ticket from the log: before (0) or after (1) the event."""
    values = (activity.changes.get(name, [None, None])[side] for name in CONCERNED)
    return Facts(activity.ticket_id, *values)


def _members(audience: Audience, facts: Facts, directory: Directory) -> Iterator[int]:
    if audience == Audience.REQUESTER and facts.requester:
        yield facts.requester
    elif audience == Audience.ASSIGNEE and facts.assignee:
        yield facts.assignee
    elif audience == Audience.WATCHER:
        yield from directory.watchers(facts.ticket)
    elif audience == Audience.MENTIONED:
        yield from directory.mentioned(facts.ticket)
    elif audience == Audience.FORMER and facts.former_assignee:
        yield facts.former_assignee
    elif audience == Audience.CATEGORY or (audience == Audience.UNCLAIMED and not facts.assignee):
        knew_before = directory.notified_of(facts.former_category) if facts.is_move else ()
        yield from (pk for pk in directory.notified_of(facts.category) if pk not in knew_before)


def _is_unassignment(activity: ActivityLog) -> bool:
    """Whether the ticket became unassigned: there is no assignee to announce."""
    return activity.verb == Verb.ASSIGNED and activity.changes.get("assignee", (None, None))[1] is None
