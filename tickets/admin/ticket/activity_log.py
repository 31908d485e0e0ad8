from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from helpdesk.lists.admin import ReadOnlyMixin, StaffListMixin
from tickets.admin.queue.filters import VerbFilter
from tickets.models import ActivityLog, Ticket
from tickets.rules.events import EVENTS, Thing
from tickets.search.query import ticket_number

MOST_PEOPLE = 100


def ticket_link(ticket_id: int | None):
    """Links to a ticket's page by number. For a deleted ticket that page says so."""
    if ticket_id is None:
        return "–"
    url = reverse("admin:tickets_ticket_change", args=[ticket_id])
    return format_html('<a href="{}">#{}</a>', url, ticket_id)


def people(words: str) -> list[int]:
    """Returns the primary keys of people who match `words`, because an index finds rows by person only."""
    return list(get_user_model().objects.named(words.strip()).values_list("pk", flat=True)[:MOST_PEOPLE])


@admin.register(ActivityLog)
class ActivityLogAdmin(StaffListMixin, ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("recorded_at", "ticket_number", "verb", "changed", "who", "source")
    list_filter = (VerbFilter,)
    sortable_by = ()
    counted_names = (_("entry"), _("entries"))
    search_fields = ("actor_name",)  # enables the search box
    search_help_text = _("Ticket number or person")
    fields = ("recorded_at", "ticket_number", "verb", "changes", "who", "source", "action_id")

    @admin.display(description=_("ticket"))
    def ticket_number(self, activity):
        return ticket_link(activity.ticket_id)

    @admin.display(description=_("changed"))
    def changed(self, activity):
        event = EVENTS[activity.verb]
        if event.is_whole:
            return "–"
        if event.thing == Thing.FILE:
            return activity.changes["name"][0] or activity.changes["name"][1]
        names = (name for name in Ticket.TRACKED if name in activity.changes)
        return ", ".join(str(Ticket._meta.get_field(name).verbose_name) for name in names) or "–"

    @admin.display(description=_("action ID"))
    def action_id(self, activity):
        """The same for all entries of one action."""
        return activity.batch

    @admin.display(description=_("person"))
    def who(self, activity):
        return activity.actor_name or _("The helpdesk")

    def get_search_results(self, request, queryset, search_term):
        if number := ticket_number(search_term):
            return queryset.filter(ticket_id=number), False
        return (queryset.filter(actor__in=people(search_term)) if search_term else queryset), False
