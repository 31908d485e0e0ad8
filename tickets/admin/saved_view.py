"""Saved views: their counts above the queue, and the pages where they are renamed, shared and deleted."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import IntegerField, Subquery
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

MOST_COUNTED = 1000


class CountOf(Subquery):
    """The number of rows of a query, as a column of another."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def counts(queries: list[str], model_admin: admin.ModelAdmin, request: HttpRequest) -> list[str]:
    """How many tickets the queue shows for each query, in one question; from MOST_COUNTED on only "+"."""
    columns = {
        f"view_{place}": CountOf(_shown(query, model_admin, request).values("pk")[: MOST_COUNTED + 1])
        for place, query in enumerate(queries)
    }
    person = get_user_model().objects.filter(pk=request.user.pk).order_by()
    row = person.annotate(**columns).values_list(*columns).get()
    return [f"{MOST_COUNTED:,}+" if (count or 0) > MOST_COUNTED else str(count or 0) for count in row]


def _shown(query: str, model_admin: admin.ModelAdmin, request: HttpRequest) -> TicketQuerySet:
    sent = QueryDict(query)
    tickets = model_admin.get_queryset(request)
    for filter_class in model_admin.list_filter:
        filtered = filter_class(request, dict(sent.lists()), Ticket, model_admin).queryset(request, tickets)
        tickets = tickets if filtered is None else filtered
    found = Search(sent.get("q", ""), user=request.user).filter(tickets, counted=True)
    return found.order_by()


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
