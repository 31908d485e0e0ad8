"""Merging: a ticket redirects to another one, whose page shows both histories (tickets.history.story).

Nothing is copied: each ticket keeps its rows and its log, so undo() is exact. A target is never merged
itself: when it is merged, the tickets merged into it follow.
"""

from collections.abc import Callable, Iterable

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import actor
from tickets.actions import conversation
from tickets.history.recording import raw
from tickets.models import ActivityLog, Draft, InboundEmail, Notification, Status, Ticket, Watcher
from tickets.rules.events import Verb, verbs
from tickets.rules.workflow import Phase


def validate(ticket: Ticket, target: Ticket) -> None:
    """Raises ValidationError if `ticket` can't be merged into `target`."""
    if ticket.pk == target.pk:
        raise ValidationError(_("This is the same ticket. Choose another one."))
    if ticket.is_merged:
        numbers = {"number": ticket.pk, "end": ticket.merged_into_id}
        raise ValidationError(_("#%(number)d is already merged into #%(end)d."), params=numbers)
    if target.is_merged:
        numbers = {"number": target.pk, "end": target.merged_into_id}
        text = _("#%(number)d is itself merged into #%(end)d. Choose #%(end)d.")
        raise ValidationError(text, params=numbers)


def new_watchers(ticket: Ticket, target: Ticket) -> list:
    """Returns the people who would start to watch `target` if `ticket` were merged into it now."""
    already = people_of([target])
    people = get_user_model().objects.filter(pk__in=people_of([ticket]) - already)
    return list(people.order_by("full_name", "pk"))


@transaction.atomic
def merge(ticket: Ticket, target: Ticket, *, tells: bool = False) -> None:
    """Merges `ticket` into `target`. Notifies people only if `tells`. Raises ValidationError."""
    tickets = _locked(lambda: {ticket.pk, target.pk, *_numbers_merged_into(ticket.pk)})
    if not {ticket.pk, target.pk} <= tickets.keys():
        raise ValidationError(_("One of the two tickets was deleted."))
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
    _take_held_mails_along(ticket, target)
    _stamp([target.pk])


@transaction.atomic
def undo(ticket: Ticket) -> Ticket:
    """Undoes the merge of `ticket`. Returns the ticket that it was merged into.

    Notifies the people who were notified of the merge. Tickets that were merged into it before return with
    it; people who watch the target only because of the merge stop watching. Raises ValidationError if it is
    not merged.
    """
    signposts = _locked(lambda: _numbers_merged_with(ticket.pk))
    if ticket.pk not in signposts:
        raise ValidationError(_("This merge is already undone."))
    ticket = signposts.pop(ticket.pk)
    target, paths = signposts.pop(ticket.merged_into_id), _paths(signposts.keys() | {ticket.pk})
    merging = ActivityLog.objects.filter(ticket_id=ticket.pk, verb=Verb.MERGED, changes__merged_into__0=None)
    merging = merging.order_by("pk").last()
    with actor.quietly(not _was_notified(merging)):
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
    _stamp([ticket.pk, target.pk])
    return target


def _stamp(numbers: list[int]) -> None:
    """Marks these tickets as changed for everybody, because their pages show something else now."""
    now = timezone.now()
    Ticket.objects.filter(pk__in=numbers).update(updated_at=now, public_at=now)


def people_of(tickets: Iterable[Ticket]) -> set[int]:
    """Returns the primary keys of their requesters and watchers."""
    tickets = list(tickets)
    watching = Watcher.objects.filter(ticket__in=tickets).counting().values_list("person", flat=True)
    return {ticket.requester_id for ticket in tickets} | set(watching)


def _locked(find: Callable[[], set[int]]) -> dict[int, Ticket]:
    """Locks the tickets that `find` returns in the order of their numbers, which prevents deadlocks.

    If `find` returns other tickets after the lock, releases all and starts again.
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


def _numbers_merged_with(number: int) -> set[int]:
    """Returns a merged ticket, its target and all tickets merged into that; empty if it is not merged."""
    target = Ticket.objects.filter(pk=number).values_list("merged_into", flat=True).first()
    return {target, *_numbers_merged_into(target)} if target else set()


def _take_drafts_along(ticket: Ticket, target: Ticket) -> None:
    """Moves drafts to the target, because the merged ticket has no form. Two drafts of a person are
    joined.
    """
    there = {}
    for draft in Draft.objects.filter(ticket=target).newest_first():
        there.setdefault((draft.person_id, draft.kind), draft)
    moved = Draft.objects.filter(ticket=ticket, kind__in=(Draft.Kind.REPLY, Draft.Kind.NOTE)).newest_first()
    for draft in moved:
        Draft.objects.filter(pk=draft.pk).update(ticket=target)
        draft.ticket = target
        if other := there.pop((draft.person_id, draft.kind), None):
            Draft.objects.join(*sorted((draft, other), key=lambda one: one.updated_at))


def _take_held_mails_along(ticket: Ticket, target: Ticket) -> None:
    """Moves replies in quarantine to the target."""
    held = InboundEmail.objects.filter(ticket=ticket, state=InboundEmail.State.QUARANTINED)
    held.update(ticket=target)


def _paths(numbers: Iterable[int]) -> dict[int, list[int]]:
    """Returns for each ticket the targets it has had since it was merged, the present one last."""
    paths: dict[int, list[int]] = {}
    merges = verbs(lambda event: event.concerns("merged_into"))
    rows = ActivityLog.objects.filter(ticket_id__in=numbers, verb__in=merges).oldest_first()
    for row in rows:
        path, target = paths.setdefault(row.ticket_id, []), row.changes["merged_into"][1]
        if target is None:
            path.clear()
        elif target in path:
            del path[path.index(target) + 1 :]
        else:
            path.append(target)
    return paths


def _was_notified(merging: ActivityLog) -> bool:
    return Notification.objects.filter(ticket=merging.ticket_id, batch=merging.batch).exists()


def _restore(ticket: Ticket, merging: ActivityLog) -> None:
    """Reverts what the act `merging` changed on `ticket`, except fields that were changed since."""
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
    """Returns those of `people` who watch the ticket `number` because their own ticket was merged into it."""
    added = ActivityLog.objects.filter(ticket_id=number, verb=Verb.WATCHER_ADDED).oldest_first()
    batches = {row.changes["person"][1]: row.batch for row in added}
    theirs = Ticket.objects.filter(Q(requester__in=people) | Q(watchers__person__in=people))
    merges = ActivityLog.objects.filter(verb=Verb.MERGED, batch__in=batches.values(), ticket__in=theirs)
    by_merge = set(merges.values_list("batch", flat=True))
    return {person for person in people if batches.get(person) in by_merge}
