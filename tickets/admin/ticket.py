from django.contrib import admin
from django.http import Http404
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.mixins import StaffListMixin
from tickets.admin import filters
from tickets.admin.actions import ACTIONS, ActionsMixin
from tickets.admin.conversation import ConversationMixin
from tickets.admin.links import LinksMixin
from tickets.admin.merging import MergingMixin
from tickets.admin.page import TicketPage
from tickets.admin.prepared import PreparedMixin
from tickets.admin.queue import QueueMixin
from tickets.admin.reports import ReportsMixin
from tickets.admin.suppressed_address import SuppressedMixin
from tickets.admin.visits import VisitsMixin
from tickets.badges import priority_mark, status_badge
from tickets.models import Ticket
from tickets.templatetags.tickets_text import ago


@admin.register(Ticket)
class TicketAdmin(
    VisitsMixin,
    SuppressedMixin,
    MergingMixin,
    LinksMixin,
    PreparedMixin,
    ReportsMixin,
    ConversationMixin,
    ActionsMixin,
    QueueMixin,
    StaffListMixin,
    TicketPage,
):
    """The columns of the queue; the rest is made of the mixins."""

    list_display = (
        "number", "subject", "requester", "category", "priority_mark", "status_badge", "owner", "age",
    )  # fmt: skip
    list_display_links = ("number", "subject")
    list_filter = (
        filters.PhaseFilter,
        filters.WhoFilter,
        filters.PriorityFilter,
        filters.PeriodFilter,
        filters.CategoryFilter,
        filters.SortFilter,
        # What the figures of a report lead to.
        filters.CreatedFilter,
        filters.SolvedFilter,
        filters.FirstReplyFilter,
        filters.ReopenedFilter,
        filters.ConfirmedFilter,
        filters.NotFixedFilter,
        filters.AgeFilter,
        filters.AssigneeFilter,
        filters.StatusFilter,
    )
    list_select_related = ("requester", "assignee")  # and see TicketChangeList
    search_fields = ("subject",)  # shows the search box; tickets.search does the work
    search_help_text = _("Words, a person, or a number like #1042")
    sortable_by = ("age",)
    actions = ACTIONS

    class Media:
        js = ("js/admin_labels.js",)

    # The list
    @admin.display(description=_("number"))
    def number(self, ticket):
        held = ""
        if ticket.has_held_mail:
            held = format_html(' <span class="mark">{}</span>', _("Reply in review"))
        if not ticket.is_unread:
            return format_html("#{}{}", ticket.pk, held)
        return format_html(
            '<span class="unread"><span class="visually-hidden">{} </span></span>#{}{}',
            _("unread"),
            ticket.pk,
            held,
        )

    @admin.display(description=_("passage"))
    def passage(self, ticket):
        if ticket.passage is None:
            return ""
        return render_to_string("tickets/includes/passage.html", {"passage": ticket.passage})

    @admin.display(description=_("priority"))
    def priority_mark(self, ticket):
        return priority_mark(ticket.priority, ticket.get_priority_display())

    @admin.display(description=_("status"))
    def status_badge(self, ticket):
        return status_badge(ticket.status)

    @admin.display(description=_("assignee"))
    def owner(self, ticket):
        """With the number, so that the key "a" takes it from nobody whom the list does not show."""
        name = ticket.assignee or self.get_empty_value_display()
        return format_html('<span data-assignee="{}">{}</span>', ticket.assignee_id or "", name)

    @admin.display(description=_("filed"), ordering="created_at")
    def age(self, ticket):
        return ago(ticket.created_at)

    def get_list_display(self, request):
        """With the passage that was found, where words are searched."""
        if not filters.search_of(request).has_words:
            return self.list_display
        number, subject, *others = self.list_display
        return (number, subject, "passage", *others)

    def get_search_results(self, request, queryset, search_term):
        return filters.search_of(request).filter(queryset), False

    # Everything that happened stands in the activity log; Django's second log would only repeat it.
    def log_addition(self, request, obj, message):
        pass

    def log_change(self, request, obj, message):
        pass

    def log_deletions(self, request, queryset):
        pass

    def history_view(self, request, object_id, extra_context=None):
        raise Http404
