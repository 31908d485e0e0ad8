"""Saved views: their counts above the queue, and the pages where they are renamed, shared and deleted."""

from django.contrib import admin
from django.http import HttpRequest, QueryDict
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from tickets.admin.neighbours import queue_url
from tickets.admin.owned import OwnedAdmin
from tickets.forms.owned import RenameViewForm
from tickets.forms.saved_view import normal_query
from tickets.models import SavedView, Ticket
from tickets.querysets import TicketQuerySet
from tickets.search.finding import Search


def shown(query: str, model_admin: admin.ModelAdmin, request: HttpRequest) -> TicketQuerySet:
    """The tickets that the queue shows for a query."""
    sent = QueryDict(query)
    tickets = model_admin.get_queryset(request)
    for filter_class in model_admin.list_filter:
        if filter_class.parameter_name in sent:
            chosen = filter_class(request, dict(sent.lists()), Ticket, model_admin)
            tickets = chosen.queryset(request, tickets)
    return Search(sent.get("q", ""), user=request.user).filter(tickets, counted=True)


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
        return format_html('<a href="{}">{}</a>', queue_url(normal_query(view.query)), _("Open it"))

    def has_add_permission(self, request):
        return False
