"""What a request to the queue loads once, for its filters, views and rows."""

from functools import cached_property

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, QueryDict
from django.utils.functional import SimpleLazyObject

from tickets.models import Category, Status
from tickets.search.choices import Show, Sort
from tickets.search.finding import Search
from tickets.search.narrowing import Asking
from tickets.search.query import parse


class QueueContext:
    """Belongs to one request. A copy of the ModelAdmin holds it (QueueMixin.for_request)."""

    def __init__(self, request: HttpRequest):
        self.user = request.user
        self.query = request.GET  # as it was sent: the changelists of the page remove unknown parameters
        self.people: dict[int, object] = {}  # loaded by a filter, by primary key
        self.labels: dict[tuple[str, str], str] = {}  # of filter values, by parameter and value
        self._searches: dict[str, Search] = {}

    @cached_property
    def categories(self) -> dict[int, Category]:
        return {row.pk: row for row in Category.objects.all()}

    @cached_property
    def statuses(self) -> dict[int, Status]:
        return {row.pk: row for row in Status.objects.all()}

    def search(self, query: QueryDict) -> Search:
        """Parses the search box."""
        typed = query.get("q", "")
        if typed not in self._searches:
            self._searches[typed] = Search(typed, user=self.user)
        return self._searches[typed]

    def asking(self, query: QueryDict) -> Asking:
        """Returns what the declared filters need to know."""
        return Asking(
            self.user,
            categories=SimpleLazyObject(lambda: {pk: row.name for pk, row in self.categories.items()}),
            statuses=SimpleLazyObject(lambda: list(self.statuses.values())),
            is_by_change=SimpleLazyObject(lambda: is_by_change(query)),
            has_merged=False,
            people=self.people,
        )


def context_of(model_admin: ModelAdmin, request: HttpRequest) -> QueueContext:
    """Returns the context that `model_admin` holds; a new one for a list that is not the queue."""
    return getattr(model_admin, "queue_context", None) or QueueContext(request)


def is_by_change(query: QueryDict) -> bool:
    """Whether the queue is ordered by newest change: for done tickets, or if selected.

    Also used with the order "best match", for equally good matches, or if there are too many to rank.
    """
    return query.get("sort") in Sort.values or show_of(query) in (Show.DONE, Show.ALL)


def show_of(query: QueryDict) -> Show:
    """Returns the phases that the queue shows."""
    chosen = query.get("phase")
    return Show(chosen) if chosen in Show.values else Show.unless_chosen(parse(query.get("q", "")))
