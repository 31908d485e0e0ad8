from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from accounts.mixins import StaffListMixin, without_detours
from tickets import timeline
from tickets.admin import actions, filters
from tickets.admin.page import TicketPage
from tickets.forms.admin import NewTicketAdminForm, TicketAdminForm
from tickets.models import ActivityLog, Ticket
from tickets.search import search
from tickets.templatetags.tickets_text import ago

OTHER_TICKETS_SHOWN = 5


class EditConflict(Exception):
    """Somebody else has saved the ticket since this form was shown."""

    def __init__(self, form):
        super().__init__()
        self.form = form


@admin.register(Ticket)
class TicketAdmin(StaffListMixin, TicketPage):
    list_display = (
        "number", "subject", "requester", "category", "priority_mark", "status_badge", "assignee", "age",
    )  # fmt: skip
    list_display_links = ("number", "subject")
    list_filter = (
        filters.PhaseFilter,
        filters.WhoFilter,
        filters.PriorityFilter,
        filters.PeriodFilter,
        filters.CategoryFilter,
    )
    list_select_related = ("category", "status", "requester", "assignee")
    search_fields = ("subject",)  # shows the search box; tickets.search does the work
    search_help_text = _("Words, a person, or a number like #1042")
    sortable_by = ("number", "age")
    ordering = ("-updated_at", "-pk")
    actions = (actions.assign_to_me, actions.assign_to, actions.set_status, actions.set_priority)
    autocomplete_fields = ("requester",)
    change_form_template = "admin/tickets/ticket/change_form.html"

    class Media:
        js = ("js/admin_labels.js",)

    # The list
    @admin.display(description=_("number"), ordering="pk")
    def number(self, ticket):
        return f"#{ticket.pk}"

    @admin.display(description=_("priority"))
    def priority_mark(self, ticket):
        return render_to_string("tickets/includes/priority.html", {"ticket": ticket})

    @admin.display(description=_("status"))
    def status_badge(self, ticket):
        return render_to_string("admin/tickets/includes/status.html", {"status": ticket.status})

    @admin.display(description=_("age"), ordering="created_at")
    def age(self, ticket):
        return ago(ticket.created_at)

    def get_search_results(self, request, queryset, search_term):
        return search(queryset, search_term, user=request.user), False

    # The page of a ticket
    def get_form(self, request, obj=None, change=False, **kwargs):
        form = TicketAdminForm if change else NewTicketAdminForm
        return without_detours(super().get_form(request, obj, change=change, form=form, **kwargs))

    def get_fields(self, request, obj=None):
        return TicketAdminForm.Meta.fields if obj else NewTicketAdminForm.Meta.fields

    def get_object(self, request, object_id, from_field=None):
        """Locked while it is saved, so that the version that was checked is the one that is replaced."""
        tickets = self.get_queryset(request)
        # Not joined when locked: see tickets.views.tickets.LockedTicketMixin.
        tickets = tickets.select_for_update() if request.method == "POST" else tickets.with_people()
        try:
            return tickets.filter(pk=Ticket._meta.pk.to_python(object_id)).first()
        except ValidationError:  # no number
            return None

    def get_changeform_initial_data(self, request):
        """Nothing from the address bar: Django's own takes any text for the number of a person."""
        return {}

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except EditConflict as conflict:
            return self.conflict_page(request, conflict.form)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            context |= self.page_context(request, obj)
            context |= {
                "title": f"#{obj.pk} {obj.subject}",
                "subtitle": None,
                "show_save_and_add_another": False,
                "timeline": timeline.entries_for(obj, request.user),
                "attachments": obj.attachments.visible_to(request.user),
                "other_tickets": Ticket.objects.filter(requester=obj.requester)
                .exclude(pk=obj.pk)
                .select_related("status")
                .newest_change_first()[:OTHER_TICKETS_SHOWN],
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request, obj, form, change):
        if change and form.conflicts:
            raise EditConflict(form)
        super().save_model(request, obj, form, change)

    def conflict_page(self, request, form):
        last = ActivityLog.objects.filter(ticket_id=form.instance.pk).first()
        typed = form.renewed().data
        context = {
            **self.admin_site.each_context(request),
            "title": _("Somebody else changed it too"),
            "opts": self.opts,
            "ticket": form.instance,
            "conflicts": form.conflicts,
            "stored_by": last.actor_name if last else "",
            "typed": [(name, value) for name, values in typed.lists() for value in values],
        }
        return TemplateResponse(request, "admin/tickets/ticket/conflict.html", context, status=409)

    # Everything that happened stands in the activity log; Django's second log would only repeat it.
    def log_addition(self, request, obj, message):
        pass

    def log_change(self, request, obj, message):
        pass

    def log_deletions(self, request, queryset):
        pass

    def history_view(self, request, object_id, extra_context=None):
        raise Http404

    def delete_queryset(self, request, queryset):
        for ticket in queryset.order_by("pk"):
            ticket.delete()
        messages.info(request, _("The people concerned are told by mail."))
