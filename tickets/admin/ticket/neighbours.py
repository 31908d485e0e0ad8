"""The queue from which a person opened a ticket, and the previous and next ticket in it."""

from copy import copy
from dataclasses import dataclass

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.validators import number_or_none
from helpdesk.lists import paging
from helpdesk.lists.requests import with_query
from tickets.admin.queue.ordering import OrderedList
from tickets.admin.ticket.parts import Part

FILTERS = "_changelist_filters"  # the parameter with which Django's links from a list keep its filters
HINTS = ("previous", "next")
MOST_COUNTED = 100  # tickets before the ticket's place in the queue


@dataclass(frozen=True)
class Neighbours:
    """Numbers of tickets; None at the ends of the queue. `position` is like "3 of 15"; empty far behind."""

    previous: int | None = None
    next: int | None = None
    position: str = ""


def queue_url(query: str = "") -> str:
    """Returns the URL of the queue with these filters."""
    url = reverse("admin:tickets_ticket_changelist")
    return f"{url}?{query}" if query else url


def queue_query(request: HttpRequest, neighbours: Neighbours | None = None) -> str:
    """Returns the query string that keeps the queue's filters.

    `neighbours` are kept too, so that they stay known when the ticket leaves the queue, for example when
    solved.
    """
    query = QueryDict(mutable=True)
    if FILTERS in request.GET:
        query[FILTERS] = request.GET[FILTERS]
    for name in HINTS:
        number = getattr(neighbours, name) if neighbours else _hint(request, name)
        if number:
            query[name] = number
    return query.urlencode()


def page_url(request: HttpRequest, pk: int) -> str:
    """Returns the URL of a ticket's page that keeps the queue's filters."""
    url, query = reverse("admin:tickets_ticket_change", args=[pk]), queue_query(request)
    return f"{url}?{query}" if query else url


class QuerysetAlone(OrderedList):
    """A changelist that runs no queries, for its queryset only."""

    def get_results(self, request):
        pass


def queue_of(model_admin, request: HttpRequest) -> QuerySet:
    """Returns the tickets of the queue on all its pages, filtered by the query of `request`.

    Raises IncorrectLookupParameters or SuspiciousOperation for an invalid query.
    """
    asking = copy(model_admin)
    asking.changelist_class = QuerysetAlone
    return asking.get_changelist_instance(request).queryset


def neighbours(model_admin, request: HttpRequest, ticket) -> Neighbours:
    """Returns the tickets before and after `ticket` in the queue."""
    asked = with_query(request, QueryDict(request.GET.get(FILTERS, "")))
    try:
        queue = queue_of(model_admin, asked)
    except (IncorrectLookupParameters, SuspiciousOperation):
        return Neighbours()
    beside = paging.beside(queue, ticket, most=MOST_COUNTED)
    if beside is None:
        return _still_there(queue, request)
    return Neighbours(beside.previous, beside.next, _position(beside.count_before + 1, beside.count))


def _still_there(queue: QuerySet, request: HttpRequest) -> Neighbours:
    """Returns the neighbours that the request names, as far as the queue still holds them."""
    hints = {name: number for name in HINTS if (number := _hint(request, name))}
    if not hints:
        return Neighbours()
    found = set(queue.filter(pk__in=hints.values()).values_list("pk", flat=True))
    return Neighbours(**{name: number for name, number in hints.items() if number in found})


def _position(place: int, count: int) -> str:
    if place > MOST_COUNTED:
        return ""
    words = {"place": place, "count": f"{MOST_COUNTED}+" if count > MOST_COUNTED else count}
    return _("%(place)s of %(count)s") % words


def _hint(request: HttpRequest, name: str) -> int | None:
    return number_or_none(request.GET.get(name, ""))


class WayBack(Part):
    """Links back to the queue, and to the tickets before and after this one."""

    def context(self, request, page):
        beside = neighbours(self.model_admin, request, page.ticket)
        return {
            "neighbours": beside,
            "queue_url": queue_url(request.GET.get(FILTERS, "")),
            "page_query": queue_query(request),
            "acts_query": queue_query(request, beside),
        }
