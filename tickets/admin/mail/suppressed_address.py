from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from helpdesk.lists.admin import ReadOnlyMixin, StaffListMixin
from tickets.admin.queue.filters import ChoiceFilter
from tickets.mail import suppression
from tickets.mail.sending import waking
from tickets.models import SuppressedAddress


class ReasonFilter(ChoiceFilter):
    title = _("reason")
    parameter_name = "reason"
    choices_offered = SuppressedAddress.Reason.choices


@admin.register(SuppressedAddress)
class SuppressedAddressAdmin(StaffListMixin, ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("address", "reason", "since")
    list_filter = (ReasonFilter,)
    sortable_by = ()
    search_fields = ("address",)
    search_help_text = _("Email address")
    actions = ("release", "release_and_send_again")
    change_form_template = "admin/tickets/suppressedaddress/change_form.html"
    fields = ("address", "reason", "since", "detail", "notification")

    @admin.action(description=_("Release"), permissions=["release"])
    def release(self, request, suppressed):
        self._release(request, suppressed)

    @admin.action(description=_("Release and send undelivered emails"), permissions=["release"])
    def release_and_send_again(self, request, suppressed):
        addresses = self._release(request, suppressed)
        count = waking.send_again(suppression.undelivered_to(addresses))
        if count:
            text = ngettext(
                "%(count)d email will be sent again.", "%(count)d emails will be sent again.", count
            )
            messages.success(request, text % {"count": count})

    @staticmethod
    def _release(request, suppressed) -> list[str]:
        addresses = suppression.release(suppressed, by=request.user)
        count = len(addresses)
        text = ngettext(
            "%(count)d address released. Emails are sent to it again.",
            "%(count)d addresses released. Emails are sent to them again.",
            count,
        )
        messages.success(request, text % {"count": count})
        return addresses

    def has_release_permission(self, request):
        return request.user.has_perm("tickets.resend_notification")

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        may_release = self.has_release_permission(request)
        context = {**context, "title": obj.address, "subtitle": None, "may_release": may_release}
        return super().render_change_form(request, context, add, change, form_url, obj)
