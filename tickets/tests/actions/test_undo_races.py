"""A worker takes the email of a change at the moment in which the change is undone: one of them wins, wholly."""

import re
import threading
from collections import Counter

import pytest
from django.db import transaction

from accounts.actor import acting_as
from helpdesk import clock
from tickets.actions import undoing
from tickets.history import verification
from tickets.models import ActivityLog, Notification, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.house.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TICKETS, AT_ONCE = 40, 4


def change(ticket: Ticket, person) -> str:
    """A change as on the page. Returns what its button sends."""
    with acting_as(person), transaction.atomic():
        locked = Ticket.objects.select_for_update().get(pk=ticket.pk)
        with undoing.undoable(locked, person=person):
            locked.set_priority("high")
    return locked.undo


def undo(text: str, person) -> bool:
    [change] = undoing.read(text, person=person)
    try:
        with transaction.atomic():
            ticket = Ticket.objects.select_for_update().get(pk=change.ticket_id)
            undoing.undo(change, ticket, person=person)
    except undoing.CannotUndo:
        return False
    return True


def test_change_is_emailed_or_undone_and_never_both(mailgun, start_worker, alice, ann):
    tickets = [make_ticket(alice) for _number in range(TICKETS)]
    Notification.objects.all().delete()
    texts = [change(ticket, ann) for ticket in tickets]
    Notification.objects.update(next_try_at=clock.now())
    begun = threading.Event()
    mailgun.on_mail = lambda mail: begun.set()
    worker = start_worker("--once")
    assert begun.wait(60)

    def undo_some(number: int) -> dict[int, bool]:
        last_first = range(TICKETS - 1 - number, -1, -AT_ONCE)  # the worker begins with the first
        return {tickets[place].pk: undo(texts[place], ann) for place in last_first}

    undone = {number: is_undone for part in at_once(AT_ONCE, undo_some) for number, is_undone in part.items()}
    assert worker.wait(60) == 0
    mailed = Counter(int(re.search(r"\[#(\d+)\]", mail["subject"])[1]) for mail in mailgun.mails)
    assert mailed == {number: 1 for number, is_undone in undone.items() if not is_undone}
    assert 0 < len(mailed) < TICKETS
    priorities = dict(Ticket.objects.values_list("pk", "priority"))
    assert priorities == {number: "normal" if is_undone else "high" for number, is_undone in undone.items()}
    assert set(Notification.objects.values_list("state", flat=True)) == {"sent"}
    assert list(verification.problems()) == []


def test_undone_by_many_tabs_at_once_it_is_undone_once(alice, ann):
    ticket = make_ticket(alice)
    text = change(ticket, ann)
    assert at_once(10, lambda number: undo(text, ann)) == [True] * 10
    assert ActivityLog.objects.filter(verb="undone").count() == 1
    assert list(verification.problems()) == []
