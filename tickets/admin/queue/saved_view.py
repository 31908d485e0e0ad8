"""Saved views: their counts above the queue, and the pages to rename, share and delete them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from helpdesk.lists.changelists import StaffChangeList
from tickets.admin.owned import OwnedAdmin
from tickets.admin.queue.context import QueueContext
from tickets.admin.ticket.neighbours import queue_url
from tickets.forms.owned import RenameViewForm
from tickets.forms.saved_view import normal_query, problems
from tickets.models import SavedView, Ticket
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.search.assignees import assignees_like, former, possible_assignees
from tickets.search.finding import Search
from tickets.search.query import parse


@dataclass(frozen=True)
class ShownTickets:
    """The result of a query; `former` are the marked names of former staff that it filters by."""

    tickets: TicketQuerySet
    former: list[str]


def shown(query: str, model_admin: admin.ModelAdmin, request: HttpRequest) -> ShownTickets:
    sent = QueryDict(query)
    tickets, people = model_admin.get_queryset(request), []
    for filter_class in model_admin.list_filter:
        if filter_class.parameter_name in sent:
            chosen = filter_class(request, dict(sent.lists()), Ticket, model_admin)
            tickets = chosen.queryset(request, tickets)
            people += getattr(chosen, "people", [])
    search = Search(sent.get("q", ""), user=request.user)
    return ShownTickets(search.filter(tickets, counted=True), former([*people, *search.assignees]))


class ViewChangeList(StaffChangeList):
    def get_results(self, request):
        """Adds to each view the former staff that it filters by, loaded once for all views."""
        super().get_results(request)
        self.result_list, people = list(self.result_list), SimpleLazyObject(possible_assignees)
        asking = QueueContext(request).asking(request.GET)
        for view in self.result_list:
            view.former = former(_assignees_in(view.query, people))
            view.problems = list(problems(QueryDict(normal_query(view.query)), asking))


def _assignees_in(query: str, people: Iterable) -> Iterator:
    """Yields those of `people` that the query filters by."""
    sent = QueryDict(query)
    for asked in parse(sent.get("q", "")).filters:
        if asked.name == "assignee" and asked.value:
            yield from assignees_like(asked.value, people)
    if number := sent.get("assignee"):
        yield from (person for person in people if str(person.pk) == number)


@admin.register(SavedView)
class SavedViewAdmin(OwnedAdmin):
    """Renames and shares views. A view is created above the queue, where its filters are selected."""

    form = RenameViewForm
    change_list_template = None
    list_display = ("name", "audience", "opens")
    search_fields = ("name",)
    search_help_text = _("Search names")

    @admin.display(description=_("filters"))
    def opens(self, view):
        query = normal_query(view.query)
        link = format_html('<a href="{}">{}</a>', queue_url(query), _("Open"))
        remarks = [", ".join(view.former), *view.problems]
        return format_html("{} {}", link, " ".join(filter(None, remarks))) if any(remarks) else link

    def get_changelist(self, request, **kwargs):
        return ViewChangeList

    def has_add_permission(self, request):
        return False
