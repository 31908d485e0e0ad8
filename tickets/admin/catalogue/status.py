from django.contrib import admin, messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.lists.admin import StaffListMixin
from tickets.models import Status
from tickets.views.badges import status_badge


@admin.register(Status)
class StatusAdmin(StaffListMixin, admin.ModelAdmin):
    list_display = ("name", "badge", "phase", "is_default", "position")
    list_display_links = ("name",)
    sortable_by = ()
    fields = ("name", "phase", "colour", "position")
    actions = ("make_default",)

    @admin.display(description=gettext_lazy("badge"))
    def badge(self, status):
        return status_badge(status)

    @admin.action(description=gettext_lazy("Make default of its phase"), permissions=["change"])
    def make_default(self, request, statuses):
        for status in statuses:
            status.make_default()
            words = {"status": status, "phase": status.get_phase_display()}
            messages.success(request, _("%(status)s is now the default of the phase %(phase)s.") % words)

    def has_delete_permission(self, request, obj=None):
        """Each phase must keep its default."""
        return super().has_delete_permission(request, obj) and not (obj and obj.is_default)

    def get_actions(self, request):
        """Removes the bulk deletion, which could delete the default of a phase."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
