"""Private and shared tools of staff: who may see and change them."""

from django.contrib import admin
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.validators import is_number
from helpdesk.lists.admin import StaffListMixin
from tickets.admin.queue.filters import OwnerFilter
from tickets.forms.owned import Visibility
from tickets.rules.excerpts import shortened


class OwnedAdmin(StaffListMixin, admin.ModelAdmin):
    """Staff see their own and shared rows and change their own; those who may share also change
    shared ones.
    """

    change_list_template = "admin/tickets/owned_list.html"
    list_filter = (OwnerFilter,)
    sortable_by = ()
    search_fields = ("title", "body")
    search_help_text = _("Search titles and texts")

    @admin.display(description=_("text"))
    def beginning(self, owned):
        return shortened(owned.body, 80) or "–"

    @admin.display(description=_("visibility"))
    def audience(self, owned):
        return (Visibility.ALL if owned.is_shared else Visibility.ME).label

    def may_share(self, request) -> bool:
        return request.user.has_perm(f"tickets.share_{self.opts.model_name}")

    def _may_touch(self, request, owned) -> bool:
        if owned is None:
            return True
        return self.may_share(request) if owned.is_shared else owned.owner_id == request.user.pk

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    def get_queryset(self, request):
        return super().get_queryset(request).visible_to(request.user)

    def get_object(self, request, object_id, from_field=None):
        """Rows of other people respond with 404."""
        found = super().get_object(request, object_id, from_field) if is_number(object_id) else None
        if found is None:
            raise Http404
        return found

    def get_actions(self, request):
        """Removes the bulk deletion, which could delete rows that others share."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_fields(self, request, obj=None):
        fields = list(self.form.Meta.fields)
        is_choice = self.may_share(request) or not self.has_change_permission(request, obj)
        return [*fields, "audience"] if is_choice else fields

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        if not self.may_share(request):
            form.base_fields.pop("audience", None)
        return form

    def save_model(self, request, obj, form, change):
        """Keeps the owner if the person may not share: their form has no choice."""
        is_shared = form.cleaned_data.get("audience") == Visibility.ALL
        obj.owner = None if is_shared else request.user
        super().save_model(request, obj, form, change)
