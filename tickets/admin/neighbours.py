"""The queue that somebody came from to a ticket's page, and the tickets before and after it there."""

from copy import copy
from dataclasses import dataclass

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from accounts import paging
from accounts.changelists import StaffChangeList
from accounts.validators import is_number

FILTERS = "_changelist_filters"  # where Django's links from a list to a row keep the list's filters
HINTS = ("previous", "next")


@dataclass(frozen=True)
class Neighbours:
    """Numbers of tickets; None at the ends of the queue."""

    previous: int | None = None
    next: int | None = None


def queue_url(query: str = "") -> str:
    """The address of the queue with these filters."""
    url = reverse("admin:tickets_ticket_changelist")
    return f"{url}?{query}" if query else url


def queue_query(request: HttpRequest, neighbours: Neighbours | None = None) -> str:
    """What an address carries on so that the queue is not forgotten.

    With `neighbours` they stay known even when the ticket leaves the queue, because it is done for example.
    """
    query = QueryDict(mutable=True)
    if FILTERS in request.GET:
        query[FILTERS] = request.GET[FILTERS]
    for name in HINTS:
        number = getattr(neighbours, name) if neighbours else _hint(request, name)
        if number:
            query[name] = number
    return query.urlencode()


class Queue(StaffChangeList):
    """A list that is asked for its queryset alone."""

    def get_results(self, request):
        pass


def neighbours(model_admin, request: HttpRequest, ticket) -> Neighbours:
    """The tickets before and after `ticket` in the queue."""
    asked = copy(request)
    asked.method, asked.GET = "GET", QueryDict(request.GET.get(FILTERS, ""))
    asked.changelist = Queue
    try:
        queue = model_admin.get_changelist_instance(asked).queryset
    except (IncorrectLookupParameters, SuspiciousOperation):  # an address that somebody made up
        return Neighbours()
    order = paging.Order(queue)
    place = order.key(ticket)
    numbers = [ticket.pk, *(_hint(request, name) for name in HINTS)]
    here, *hints, before, after = paging.ask(
        *((paging.VALUE, queue.filter(pk=number).values("pk")) for number in numbers),
        (paging.VALUE, queue.filter(order.beyond(place, backwards=True)).reverse().values("pk")[:1]),
        (paging.VALUE, queue.filter(order.beyond(place)).values("pk")[:1]),
    )
    return Neighbours(before, after) if here else Neighbours(*hints)


def _hint(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if is_number(text) else None
