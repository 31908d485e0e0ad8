"""Two processes take one ticket at the same moment: one gets it, the other is told who (T36, THREATS 117, 135)."""

import pytest

from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.history import verification
from tickets.models import ActivityLog, Comment, Macro, Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.pressing import WAYS, pressed_by_two

pytestmark = pytest.mark.django_db(transaction=True)
TIMES, TIMES_OF_OTHERS = 50, 10
STANDS = {"answer": "Please restart it.", "answer of a macro": "Hello Alice"}


@pytest.mark.parametrize("way", WAYS)
def test_of_two_who_take_a_ticket_at_once_one_gets_it_and_the_other_is_refused(alice, ann, way):
    ben = make_person("Ben Okafor", role=Role.AGENT)
    Macro.objects.create(pk=1, title="Mine", priority="high", assigns_to_me=True)
    Macro.objects.create(pk=2, title="Hello", body="Hello {first_name}")
    times = TIMES if way == "button" else TIMES_OF_OTHERS
    tickets = [make_ticket(alice).pk for _number in range(times)]
    read = pressed_by_two([ann, ben], way, tickets)
    owners = {ticket.pk: ticket.assignee for ticket in Ticket.objects.select_related("assignee")}
    for number in tickets:
        winner, loser = (ann, ben) if owners[number] == ann else (ben, ann)
        assert owners[number] == winner
        assert f"{winner} self-assigned this" in read[loser][number]
        assert "self-assigned" not in read[winner][number]
        assert "now assigned to you" not in read[loser][number]
        rows = ActivityLog.objects.filter(ticket_id=number, verb="assigned")
        assert [row.actor for row in rows] == [winner]
    said = Comment.objects.values_list("body", flat=True)
    assert list(said) == [STANDS[way]] * 2 * times if way in STANDS else not said
    assert list(verification.problems()) == []
