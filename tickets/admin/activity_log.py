from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.mixins import ReadOnlyMixin, StaffListMixin
from tickets.admin.filters import VerbFilter
from tickets.events import Verb
from tickets.models import ActivityLog, Ticket
from tickets.search.query import ticket_number

MOST_PEOPLE = 100


def ticket_link(ticket_id: int | None):
    """A ticket's number, as a link to its page; the page of a deleted one says that it is gone."""
    if ticket_id is None:
        return "–"
    url = reverse("admin:tickets_ticket_change", args=[ticket_id])
    return format_html('<a href="{}">#{}</a>', url, ticket_id)


def people(words: str) -> list[int]:
    """The people that `words` mean, by number: an index finds what is theirs, it can't find words."""
    return list(get_user_model().objects.named(words.strip()).values_list("pk", flat=True)[:MOST_PEOPLE])


@admin.register(ActivityLog)
class ActivityLogAdmin(StaffListMixin, ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("recorded_at", "ticket_number", "verb", "changed", "who", "source")
    list_filter = (VerbFilter,)
    sortable_by = ()
    search_fields = ("actor_name",)  # shows the search box
    search_help_text = _("A ticket's number, or who did it")
    fields = ("recorded_at", "ticket_number", "verb", "changes", "who", "source", "batch")

    @admin.display(description=_("ticket"))
    def ticket_number(self, activity):
        return ticket_link(activity.ticket_id)

    @admin.display(description=_("changed"))
    def changed(self, activity):
        if activity.verb in (Verb.CREATED, Verb.DELETED):
            return "–"
        if activity.verb in (Verb.FILE_ADDED, Verb.FILE_REMOVED):
            return activity.changes["name"][0] or activity.changes["name"][1]
        names = (name for name in Ticket.TRACKED if name in activity.changes)
        return ", ".join(str(Ticket._meta.get_field(name).verbose_name) for name in names) or "–"

    @admin.display(description=_("who"))
    def who(self, activity):
        return activity.actor_name or _("The helpdesk")

    def get_search_results(self, request, queryset, search_term):
        if number := ticket_number(search_term):
            return queryset.filter(ticket_id=number), False
        return (queryset.filter(actor__in=people(search_term)) if search_term else queryset), False
