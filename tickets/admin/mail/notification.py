from django.contrib import admin, messages
from django.db.models import Q
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from helpdesk.lists.admin import ReadOnlyMixin, StaffListMixin
from tickets.admin.mail.ledger import LedgerMixin, MailRowMixin
from tickets.admin.queue.filters import QueuedFilter, StateFilter
from tickets.admin.ticket.activity_log import people
from tickets.mail.sending import waking
from tickets.models import Notification
from tickets.reports.mail import KINDS
from tickets.search.query import ticket_number


@admin.register(Notification)
class NotificationAdmin(LedgerMixin, MailRowMixin, StaffListMixin, ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("created_at", "address", "what", "ticket_number", "state_badge", "attempts", "problem")
    list_filter = (StateFilter, QueuedFilter)
    sortable_by = ()
    counted_names = (_("email"), _("emails"))
    search_fields = ("address",)  # shows the search box
    search_help_text = _("Email address, name or ticket number")
    ordering = ("-created_at", "-pk")
    actions = ("send_again",)
    change_form_template = "admin/tickets/notification/change_form.html"
    fields = (
        "what", "address", "ticket_number", "state_badge", "attempts", "created_at", "sent_at", "next_try_at",
        "last_error", "message_id", "provider_id",
    )  # fmt: skip

    @admin.display(description=_("event"))
    def what(self, notification):
        return KINDS.get(notification.kind, notification.kind)

    @admin.display(description=_("problem"))
    def problem(self, notification):
        return Truncator(notification.last_error).chars(80) or "–"

    def get_search_results(self, request, queryset, search_term):
        if number := ticket_number(search_term):
            return queryset.filter(ticket_id=number), False
        if not search_term:
            return queryset, False
        address = search_term.strip().lower().replace("\0", "")
        return queryset.filter(Q(person__in=people(search_term)) | Q(address=address)), False

    @admin.action(description=_("Send again"), permissions=["resend"])
    def send_again(self, request, notifications):
        count = waking.send_again(notifications)
        if count:
            text = ngettext(
                "%(count)d email will be sent again.", "%(count)d emails will be sent again.", count
            )
            messages.success(request, text % {"count": count})
        else:
            messages.info(request, _("Only undelivered emails can be sent again."))

    def has_resend_permission(self, request):
        return request.user.has_perm("tickets.resend_notification")

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context = {
            **context,
            "title": _("Email to %(address)s") % {"address": obj.address},
            "subtitle": None,
            "may_send_again": self.has_resend_permission(request) and obj.may_be_sent_again,
        }
        return super().render_change_form(request, context, add, change, form_url, obj)
