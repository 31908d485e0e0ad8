"""Merging: a ticket becomes a signpost to another one, whose page tells both stories (tickets.story).

Nothing is copied: each ticket keeps its rows and its log, so undo() is exact. A target is never merged
itself: when it is, what was merged into it goes along.
"""

from collections.abc import Callable, Iterable

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import actor
from tickets import conversation
from tickets.activity_log import raw
from tickets.events import Verb
from tickets.models import ActivityLog, Draft, Notification, Status, Ticket, Watcher
from tickets.workflow import Phase

MERGES = (Verb.MERGED, Verb.UNMERGED)


def validate(ticket: Ticket, target: Ticket) -> None:
    """Raises ValidationError where `ticket` can't be merged into `target`."""
    if ticket.pk == target.pk:
        raise ValidationError(_("This is the ticket itself. Please choose another one."))
    if ticket.is_merged:
        numbers = {"number": ticket.pk, "end": ticket.merged_into_id}
        raise ValidationError(_("#%(number)d is merged into #%(end)d already."), params=numbers)
    if target.is_merged:
        numbers = {"number": target.pk, "end": target.merged_into_id}
        text = _("#%(number)d is merged into #%(end)d itself. Please choose #%(end)d.")
        raise ValidationError(text, params=numbers)


def new_watchers(ticket: Ticket, target: Ticket) -> list:
    """The people who would watch `target` if `ticket` were merged into it now, and don't yet."""
    already = people_of([target])
    people = get_user_model().objects.filter(pk__in=people_of([ticket]) - already)
    return list(people.order_by("full_name", "pk"))


@transaction.atomic
def merge(ticket: Ticket, target: Ticket, *, tells: bool = False) -> None:
    """Merges `ticket` into `target`; nobody is mailed unless it `tells`. Raises ValidationError."""
    tickets = _locked(lambda: {ticket.pk, target.pk, *_numbers_merged_into(ticket.pk)})
    if not {ticket.pk, target.pk} <= tickets.keys():
        raise ValidationError(_("One of the two tickets is gone."))
    ticket, target = tickets.pop(ticket.pk), tickets.pop(target.pk)
    validate(ticket, target)
    with actor.quietly(not tells):
        if not ticket.is_done:
            ticket.status = Status.objects.default_for(Phase.DONE)
        for signpost in (ticket, *tickets.values()):
            signpost.merged_into = target
            signpost.save()
        for person in get_user_model().objects.filter(pk__in=people_of([ticket])).order_by("pk"):
            conversation.watch(target, person)
    _take_drafts_along(ticket, target)
    Ticket.objects.filter(pk=target.pk).update(updated_at=timezone.now())


@transaction.atomic
def undo(ticket: Ticket) -> Ticket:
    """Makes the signpost `ticket` a ticket again, as it was. Returns the ticket that it was merged into.

    Mails those who were mailed of the merge. What was merged into it before comes back with it; who watched
    the target only because of it does so no more. Raises ValidationError where it isn't merged (any more).
    """
    signposts = _locked(lambda: _numbers_around(ticket.pk))
    if ticket.pk not in signposts:
        raise ValidationError(_("This merge is undone already."))
    ticket = signposts.pop(ticket.pk)
    target, paths = signposts.pop(ticket.merged_into_id), _paths(signposts.keys() | {ticket.pk})
    merging = ActivityLog.objects.filter(ticket_id=ticket.pk, verb=Verb.MERGED, changes__merged_into__0=None)
    merging = merging.order_by("pk").last()
    with actor.quietly(not _was_told(merging)):
        _restore(ticket, merging)
        back = [pk for pk in signposts if ticket.pk in paths[pk]]
        for pk in back:
            signpost = signposts.pop(pk)
            signpost.merged_into = ticket
            signpost.save()
        people = people_of([ticket])
        for number in paths[ticket.pk]:
            others = [signpost for pk, signpost in signposts.items() if number in paths[pk]]
            people = _came_by_merge(people, number) - people_of(others)
            for watcher in Watcher.objects.filter(ticket=number, person__in=people):
                watcher.delete()
    Ticket.objects.filter(pk__in=(ticket.pk, target.pk)).update(updated_at=timezone.now())
    return target


def people_of(tickets: Iterable[Ticket]) -> set[int]:
    """The primary keys of their requesters and watchers."""
    tickets = list(tickets)
    watching = Watcher.objects.filter(ticket__in=tickets).values_list("person", flat=True)
    return {ticket.requester_id for ticket in tickets} | set(watching)


def _locked(find: Callable[[], set[int]]) -> dict[int, Ticket]:
    """The tickets whose numbers are found, locked in the order of their numbers: nobody waits in a circle.

    Where others are found once they are locked, all are let go and locked anew.
    """
    while True:
        wanted, here = find(), transaction.savepoint()
        rows = Ticket.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
        locked = {row.pk: row for row in rows}
        if find() == wanted:
            transaction.savepoint_commit(here)
            return locked
        transaction.savepoint_rollback(here)


def _numbers_merged_into(number: int) -> set[int]:
    return set(Ticket.objects.filter(merged_into=number).values_list("pk", flat=True))


def _numbers_around(number: int) -> set[int]:
    """Those of a signpost, its target and all the target's signposts; none where it is no signpost."""
    target = Ticket.objects.filter(pk=number).values_list("merged_into", flat=True).first()
    return {target, *_numbers_merged_into(target)} if target else set()


def _take_drafts_along(ticket: Ticket, target: Ticket) -> None:
    """The signpost has no form to go on with them; who has begun something there too finds both in one."""
    there = {}
    for draft in Draft.objects.filter(ticket=target).newest_first():
        there.setdefault((draft.person_id, draft.kind), draft)
    moved = Draft.objects.filter(ticket=ticket, kind__in=(Draft.Kind.REPLY, Draft.Kind.NOTE)).newest_first()
    for draft in moved:
        Draft.objects.filter(pk=draft.pk).update(ticket=target)
        draft.ticket = target
        if other := there.pop((draft.person_id, draft.kind), None):
            Draft.objects.join(*sorted((draft, other), key=lambda one: one.updated_at))


def _paths(numbers: Iterable[int]) -> dict[int, list[int]]:
    """The tickets that each signpost led to since it was merged, the present one last."""
    paths: dict[int, list[int]] = {}
    rows = ActivityLog.objects.filter(ticket_id__in=numbers, verb__in=MERGES).oldest_first()
    for row in rows:
        path, target = paths.setdefault(row.ticket_id, []), row.changes["merged_into"][1]
        if target is None:
            path.clear()
        elif target in path:
            del path[path.index(target) + 1 :]
        else:
            path.append(target)
    return paths


def _was_told(merging: ActivityLog) -> bool:
    return Notification.objects.filter(ticket=merging.ticket_id, batch=merging.batch).exists()


def _restore(ticket: Ticket, merging: ActivityLog) -> None:
    """Gives `ticket` back what the act `merging` changed, except where somebody has changed it since."""
    for row in ActivityLog.objects.filter(ticket_id=ticket.pk, batch=merging.batch):
        for name, (old, new) in row.changes.items():
            field = Ticket._meta.get_field(name) if name in Ticket.TRACKED else None
            if field and raw(getattr(ticket, field.attname)) == new:
                setattr(ticket, field.attname, "" if old is None and not field.null else field.to_python(old))
    ticket.merged_into = None
    if not Status.objects.filter(pk=ticket.status_id).exists():
        ticket.status = Status.objects.default_for(Phase.ACTIVE)
    ticket.save()


def _came_by_merge(people: set[int], number: int) -> set[int]:
    """Those of `people` who watch the ticket `number` because a ticket of theirs was merged into it."""
    added = ActivityLog.objects.filter(ticket_id=number, verb=Verb.WATCHER_ADDED).oldest_first()
    batches = {row.changes["person"][1]: row.batch for row in added}
    theirs = Ticket.objects.filter(Q(requester__in=people) | Q(watchers__person__in=people))
    merges = ActivityLog.objects.filter(verb=Verb.MERGED, batch__in=batches.values(), ticket__in=theirs)
    by_merge = set(merges.values_list("batch", flat=True))
    return {person for person in people if batches.get(person) in by_merge}
