"""What stands beside a row of a list (helpdesk.lists.paging.beside)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from helpdesk.lists.paging import Beside, beside
from tickets.models import Ticket
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
ORDERS = {
    "queue": ("urgency_rank", "created_at", "pk"),
    "newest change": ("-updated_at", "-pk"),
    "number": ("pk",),
}


@pytest.fixture
def tickets(alice):
    """Two were filed in the same moment."""
    moments = [timezone.now() - timedelta(days=number) for number in (4, 3, 3, 2, 1)]
    return [make_ticket(alice, created_at=moment, updated_at=moment) for moment in moments]


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_each_row_stands_between_its_neighbours(tickets, order):
    tickets[3].set_priority("urgent")
    listed = Ticket.objects.order_by(*order)
    numbers = [None, *listed.values_list("pk", flat=True), None]
    for place, ticket in enumerate(listed):
        found = beside(listed, ticket, most=100)
        assert found == Beside(numbers[place], numbers[place + 2], place, len(tickets))


def test_only_rows_of_the_list_count(tickets):
    listed = Ticket.objects.exclude(pk=tickets[1].pk).order_by("pk")
    assert beside(listed, tickets[2], most=100) == Beside(tickets[0].pk, tickets[3].pk, 1, 4)


def test_counts_stop_one_above_the_most(tickets):
    found = beside(Ticket.objects.order_by("pk"), tickets[4], most=2)
    assert (found.count_before, found.count) == (3, 3)


def test_row_of_another_list_has_no_neighbours(tickets):
    assert beside(Ticket.objects.exclude(pk=tickets[2].pk), tickets[2], most=100) is None
    assert beside(Ticket.objects.none(), tickets[2], most=100) is None


def test_one_query_tells_all(tickets, django_assert_num_queries):
    with django_assert_num_queries(1):
        beside(Ticket.objects.order_by("pk"), tickets[2], most=100)
