"""Somebody stops working while others assign tickets, and two workers hand over at once (THREATS 144)."""

from contextlib import suppress

import pytest

from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import handing_over
from tickets.history import verification
from tickets.models import ActivityLog, Handover, Notification, NotStaff, Ticket
from tickets.models.notification import HANDED_OVER
from tickets.tests.factories import category, make_ticket
from tickets.tests.house.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


def test_no_ticket_slips_through_while_somebody_leaves(alice, ann, kim):
    tickets = [make_ticket(alice) for _number in range(8)]

    def act(number: int) -> None:
        if number == 0:
            person = User.objects.get(pk=kim.pk)
            person.is_active = False
            person.save()
            handing_over.hand_over(person)
            return
        with suppress(NotStaff):
            Ticket.objects.get(pk=tickets[number].pk).assign(kim)

    at_once(8, act)
    handing_over.hand_over()
    assert not handing_over.left_open().exists()
    assert not Handover.objects.open().exists()
    assert list(verification.problems()) == []


def test_two_workers_hand_over_each_ticket_once_and_mail_once(alice, sam, kim, monkeypatch):
    monkeypatch.setattr(handing_over, "BATCH", 3)
    category().people.add(sam)
    for _number in range(20):
        make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    kim.is_active = False
    kim.save()
    moved = at_once(4, lambda number: handing_over.hand_over())
    moved.append(handing_over.hand_over())  # where each found the other at it
    assert sum(moved) == 20
    assert Handover.objects.get().tickets == 20
    assert ActivityLog.objects.filter(verb="assigned").count() == 20
    assert Notification.objects.filter(kind=HANDED_OVER).count() == 1
