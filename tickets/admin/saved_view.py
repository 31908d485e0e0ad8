"""Saved views: their counts above the queue, and the pages where they are renamed, shared and deleted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.changelists import StaffChangeList
from tickets.admin.neighbours import queue_url
from tickets.admin.owned import OwnedAdmin
from tickets.forms.owned import RenameViewForm
from tickets.forms.saved_view import normal_query
from tickets.models import SavedView, Ticket
from tickets.querysets import TicketQuerySet
from tickets.search.assignees import former, named, possible_assignees
from tickets.search.finding import Search
from tickets.search.query import parse


@dataclass(frozen=True)
class Shown:
    """What the queue shows for a query; `former` are assignees whom it names and who don't work, marked."""

    tickets: TicketQuerySet
    former: list[str]


def shown(query: str, model_admin: admin.ModelAdmin, request: HttpRequest) -> Shown:
    sent = QueryDict(query)
    tickets, people = model_admin.get_queryset(request), []
    for filter_class in model_admin.list_filter:
        if filter_class.parameter_name in sent:
            chosen = filter_class(request, dict(sent.lists()), Ticket, model_admin)
            tickets = chosen.queryset(request, tickets)
            people += getattr(chosen, "people", [])
    search = Search(sent.get("q", ""), user=request.user)
    return Shown(search.filter(tickets, counted=True), former([*people, *search.assignees]))


class ViewChangeList(StaffChangeList):
    def get_results(self, request):
        """Each view with the assignees whom it names and who don't work; the people are read once for all."""
        super().get_results(request)
        self.result_list, people = list(self.result_list), SimpleLazyObject(possible_assignees)
        for view in self.result_list:
            view.former = former(_assignees_in(view.query, people))


def _assignees_in(query: str, people: Iterable) -> Iterator:
    """Those of `people` by whom a query filters."""
    sent = QueryDict(query)
    for asked in parse(sent.get("q", "")).filters:
        if asked.name == "assignee" and asked.value:
            yield from named(asked.value, people)
    if number := sent.get("assignee"):
        yield from (person for person in people if str(person.pk) == number)


@admin.register(SavedView)
class SavedViewAdmin(OwnedAdmin):
    """Names of views; a view itself is saved where its filters are chosen, above the queue."""

    form = RenameViewForm
    change_list_template = None
    list_display = ("name", "audience", "opens")
    search_fields = ("name",)
    search_help_text = _("Words of the name")

    @admin.display(description=_("filters"))
    def opens(self, view):
        link = format_html('<a href="{}">{}</a>', queue_url(normal_query(view.query)), _("Open it"))
        return format_html("{} {}", link, ", ".join(view.former)) if view.former else link

    def get_changelist(self, request, **kwargs):
        return ViewChangeList

    def has_add_permission(self, request):
        return False
