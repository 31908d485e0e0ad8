"""One act on many tickets: the same as on each, in few statements (tickets.actions.many)."""

from contextlib import suppress
from itertools import count

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as, quietly
from tickets.actions import conversation, many
from tickets.models import ActivityLog, MutedTicket, Notification, NotStaff, Ticket
from tickets.rules.waiting import Wait
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def acts(ann, sam):
    return {
        "priority": lambda ticket: ticket.set_priority("urgent"),
        "status": lambda ticket: ticket.set_status(status("done")),
        "waiting": lambda ticket: ticket.set_status(status("waiting"), Wait("supplier", None)),
        "new again": lambda ticket: ticket.set_status(status("new")),
        "assignee": lambda ticket: ticket.assign(sam),
        "nobody": lambda ticket: ticket.assign(None),
        "twice": lambda ticket: (ticket.assign(sam), ticket.set_status(status("active"))),
    }


def various_tickets(alice, bob, ann) -> list[Ticket]:
    """New, assigned, watched, muted, waiting, done."""
    tickets = [make_ticket(alice, phase=phase) for phase in ("new", "active", "active", "waiting", "done")]
    with acting_as(ann):
        for ticket in tickets[1:]:
            ticket.assign(ann)
        conversation.watch(tickets[1], bob)
    MutedTicket.objects.create(ticket=tickets[2], person=alice)
    return tickets


def do(act, ticket: Ticket) -> None:
    with suppress(ValidationError, NotStaff):
        act(ticket)


def what_happened(tickets: list[Ticket], since: int) -> list:
    """The rows of all tickets as they would be on any other ticket."""
    place = dict(zip((ticket.pk for ticket in tickets), count(), strict=False))
    logged = ActivityLog.objects.filter(pk__gt=since).oldest_first()
    queued = Notification.objects.filter(activity__pk__gt=since).order_by("pk")
    fields = ("status", "priority", "assignee", "assigned_because", "waiting_for", "version")
    moments = ("done_at", "silent_since")
    stored = Ticket.objects.filter(pk__in=place).order_by("pk")
    return [
        [(place[row.ticket_id], row.verb, row.changes, row.actor_id, row.source) for row in logged],
        [
            (place[row.ticket_id], row.kind, row.reason, row.address, row.activity.verb, row.is_digest)
            for row in queued
        ],
        list(stored.values_list(*fields)),
        [tuple(value is None for value in row) for row in stored.values_list(*moments)],
    ]


def last_number() -> int:
    return ActivityLog.objects.order_by("-pk").values_list("pk", flat=True).first()


@pytest.mark.parametrize(
    "name", ["priority", "status", "waiting", "new again", "assignee", "nobody", "twice"]
)
def test_many_at_once_leave_what_each_alone_leaves(name, acts, alice, bob, ann):
    singly, at_once = various_tickets(alice, bob, ann), various_tickets(alice, bob, ann)
    start = last_number()
    with acting_as(ann):
        for ticket in Ticket.objects.filter(pk__in=[one.pk for one in singly]).order_by("pk"):
            do(acts[name], ticket)
    expected, start = what_happened(singly, start), last_number()
    with acting_as(ann), many.locked_tickets([one.pk for one in at_once]) as tickets:
        for ticket in tickets:
            do(acts[name], ticket)
    found = what_happened(at_once, start)
    assert found == expected
    assert name == "new again" or found[0]
    call_command("verify_activity_log")


def test_statements_grow_by_one_for_each_ticket(alice, bob, ann, sam):
    def statements(tickets: list[Ticket]) -> int:
        numbers = [ticket.pk for ticket in tickets]
        with (
            CaptureQueriesContext(connection) as queries,
            acting_as(ann),
            many.locked_tickets(numbers) as locked,
        ):
            for ticket in locked:
                ticket.set_priority("urgent")
        return len(queries)

    few = [make_ticket(alice) for _number in range(2)]
    more = [make_ticket(alice, phase="active", assignee=sam) for _number in range(12)]
    assert statements(more) == statements(few) + 10
    assert Notification.objects.filter(ticket__in=more, person=sam, kind="edited").count() == 12


def test_refused_ticket_stays_and_the_others_are_changed(alice, bob, ann):
    tickets = [make_ticket(alice, phase="active") for _number in range(3)]
    start = last_number()
    with acting_as(ann), many.locked_tickets([one.pk for one in tickets]) as locked:
        for ticket, person in zip(locked, (ann, bob, ann), strict=True):
            if person == bob:
                with pytest.raises(NotStaff):
                    ticket.assign(person)
            else:
                ticket.assign(person)
    assert list(Ticket.objects.order_by("pk").values_list("assignee", flat=True)) == [ann.pk, None, ann.pk]
    logged = ActivityLog.objects.filter(pk__gt=start).oldest_first()
    assert list(logged.values_list("ticket", flat=True)) == [tickets[0].pk, tickets[2].pk]


def test_error_leaves_neither_change_nor_log_nor_notification(alice, ann, sam):
    tickets = [make_ticket(alice, phase="active", assignee=sam) for _number in range(2)]
    start, queued = last_number(), Notification.objects.count()
    numbers = [ticket.pk for ticket in tickets]
    with pytest.raises(IntegrityError), acting_as(ann), many.locked_tickets(numbers) as (first, second):
        first.set_priority("urgent")
        second.set_priority("unknown")
    assert set(Ticket.objects.values_list("priority", flat=True)) == {"normal"}
    assert (last_number(), Notification.objects.count()) == (start, queued)
    # What comes next is logged as always.
    with acting_as(ann):
        Ticket.objects.first().set_priority("low")
    assert last_number() > start


def test_each_ticket_has_its_own_limit_of_emails(alice, ann, sam):
    """The ninth email on the first ticket is the last for now; the others know nothing of it."""
    tickets = [make_ticket(alice, phase="active", assignee=sam) for _number in range(3)]
    for number in range(12):
        with acting_as(ann):
            tickets[0].set_priority("low" if number % 2 else "high")
    with acting_as(ann), many.locked_tickets([one.pk for one in tickets]) as locked:
        for ticket in locked:
            ticket.set_priority("urgent")
    rows = Notification.objects.filter(person=sam).order_by("-pk")[:3]
    versions = {row.ticket_id: row.batch.version for row in rows}
    assert versions == {tickets[0].pk: 5, tickets[1].pk: 4, tickets[2].pk: 4}


def test_nobody_is_notified_of_a_quiet_act(alice, ann, sam):
    tickets = [make_ticket(alice, phase="active", assignee=sam) for _number in range(2)]
    queued = Notification.objects.count()
    with acting_as(ann), quietly(), many.locked_tickets([one.pk for one in tickets]) as locked:
        for ticket in locked:
            ticket.set_priority("urgent")
    assert Notification.objects.count() == queued
