from django.contrib import admin
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from helpdesk.lists.admin import StaffListMixin
from tickets.admin.queue import filters
from tickets.admin.queue.actions import ACTIONS, ActionsMixin
from tickets.admin.queue.columns import ColumnsMixin
from tickets.admin.queue.context import context_of
from tickets.admin.queue.queue import QueueMixin
from tickets.admin.queue.row_change import RowChangesMixin
from tickets.admin.reports import Reports
from tickets.admin.ticket.conversation import Conversation
from tickets.admin.ticket.links import Links
from tickets.admin.ticket.merging import Merging, Splitting
from tickets.admin.ticket.neighbours import WayBack
from tickets.admin.ticket.page import TicketPageAdmin
from tickets.admin.ticket.prepared import Macros, SavedReplies
from tickets.admin.ticket.requester import Requester
from tickets.admin.ticket.similar import Similar
from tickets.admin.ticket.taking import Taking
from tickets.admin.ticket.undoing import Undoing
from tickets.admin.ticket.visits import Visits
from tickets.models import Ticket
from tickets.search.choices import OLD_COLUMNS


@admin.register(Ticket)
class TicketAdmin(ActionsMixin, RowChangesMixin, ColumnsMixin, QueueMixin, StaffListMixin, TicketPageAdmin):
    """The queue, and the parts of a ticket's page."""

    PARTS = (
        Conversation,
        Taking,
        Undoing,
        SavedReplies,
        Macros,
        Requester,
        Similar,
        Links,
        Merging,
        Splitting,
        Visits,
        WayBack,
        Reports,
    )
    list_filter = filters.TICKET_FILTERS
    search_fields = ("subject",)  # enables the search box; tickets.search does the work
    search_help_text = _("Search tickets, people or #number")
    sortable_by = ()  # see TicketChangeList.columns
    old_columns = OLD_COLUMNS
    actions = ACTIONS

    class Media:
        js = ("js/admin_labels.js",)

    def get_search_results(self, request, queryset, search_term):
        return context_of(self, request).search(request.GET).filter(queryset), False

    # The activity log records everything, so Django's own log is disabled.
    def log_addition(self, request, obj, message):
        pass

    def log_change(self, request, obj, message):
        pass

    def log_deletions(self, request, queryset):
        pass

    def history_view(self, request, object_id, extra_context=None):
        raise Http404
