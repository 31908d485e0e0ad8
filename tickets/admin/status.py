from django.contrib import admin, messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.mixins import StaffListMixin
from tickets.badges import status_badge
from tickets.models import Status


@admin.register(Status)
class StatusAdmin(StaffListMixin, admin.ModelAdmin):
    list_display = ("name", "badge", "phase", "is_default", "position")
    list_display_links = ("name",)
    sortable_by = ()
    fields = ("name", "phase", "colour", "position")
    actions = ("make_default",)

    @admin.display(description=gettext_lazy("looks like"))
    def badge(self, status):
        return status_badge(status)

    @admin.action(description=gettext_lazy("Make it the default of its phase"), permissions=["change"])
    def make_default(self, request, statuses):
        for status in statuses:
            status.make_default()
            words = {"status": status, "phase": status.get_phase_display()}
            messages.success(request, _("%(status)s is the default of the phase %(phase)s now.") % words)

    def has_delete_permission(self, request, obj=None):
        """Each phase keeps its default."""
        return super().has_delete_permission(request, obj) and not (obj and obj.is_default)

    def get_actions(self, request):
        """One by one: deleting many could take the default of a phase."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions
