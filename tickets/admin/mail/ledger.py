"""The email log: every email, sent and received. And a preview of an outgoing email."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.validators import is_number
from tickets.admin.ticket.activity_log import ticket_link
from tickets.forms.mail import MailForm, MailPeriod
from tickets.mail import alarms
from tickets.mail.writing import as_sent
from tickets.models import InboundEmail, Notification
from tickets.reports import mail as ledger

PER_PAGE = 50
Out, In = Notification.State, InboundEmail.State
COLOURS = {
    Out.WAITING: "blue",
    Out.SENDING: "blue",
    Out.SENT: "green",
    Out.DELIVERED: "green",
    Out.BOUNCED: "red",
    Out.COMPLAINED: "red",
    Out.FAILED: "red",
    Out.SUPPRESSED: "amber",
    In.RECEIVED: "blue",
    In.FILED: "green",
    In.IGNORED: "grey",
    In.QUARANTINED: "amber",
    In.FAILED: "red",
}


class MailRowMixin:
    """For the lists of sent and received emails."""

    @admin.display(description=gettext_lazy("ticket"))
    def ticket_number(self, mail):
        return ticket_link(mail.ticket_id)

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, mail):
        shown = {"colour": COLOURS[mail.state], "label": mail.get_state_display()}
        return render_to_string("admin/tickets/includes/state.html", shown)


class MailRow:
    """An email in the list."""

    def __init__(self, mail, *, may_resend: bool):
        is_out = ledger.direction_of(mail) == ledger.Direction.OUT
        self.mail = mail
        self.is_out = is_out
        self.time = mail.created_at if is_out else mail.received_at
        self.party = mail.address if is_out else mail.sender or _("unknown sender")
        self.what = ledger.KINDS.get(mail.kind, mail.kind) if is_out else mail.subject or _("no subject")
        self.subject = mail.ticket.subject if mail.ticket else ""
        self.state = mail.get_state_display()
        self.colour = COLOURS[mail.state]
        self.why = Truncator(mail.last_error if is_out else mail.get_reason_display()).chars(120)
        self.may_be_sent_again = is_out and may_resend and mail.may_be_sent_again


class LedgerMixin(admin.ModelAdmin):
    """Adds the email log to the outbox. The AdminSite defines its URL, /admin/mail/."""

    def get_urls(self):
        raw = self.admin_site.admin_view(self.raw_view)
        return [path("<int:pk>/raw/", raw, name="tickets_notification_raw"), *super().get_urls()]

    def ledger_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._send_again(request)
        form = MailForm(request.GET)
        after = ledger.MailCursor.parse(request.GET.get("after", ""))
        asked = {"part": form.only, "words": form.words, "after": after}
        mails = ledger.newest(form.span, count=PER_PAGE + 1, **asked)
        may_resend = self.has_resend_permission(request)
        period = form.chosen("period", MailPeriod.WEEK)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Email"),
            "form": MailForm(initial={"period": period, "q": form.words, "part": form.only or ""}),
            "period": period,
            "balance": ledger.balance(form.span),
            "alarms": alarms.alarms(),
            "only": form.only,
            "lines": [MailRow(mail, may_resend=may_resend) for mail in mails[:PER_PAGE]],
            "older": self._query(request, after=ledger.MailCursor.of(mails[PER_PAGE - 1]))
            if len(mails) > PER_PAGE
            else "",
            "newest": self._query(request, after=None) if after else "",
            "is_ledger": True,
        }
        return TemplateResponse(request, "admin/tickets/notification/ledger.html", context)

    def raw_view(self, request, pk):
        """Shows the email as it would be sent now, without the secrets of account emails."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        notification = get_object_or_404(Notification.objects.select_related("person", "activity"), pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Email to %(address)s") % {"address": notification.address},
            "opts": self.opts,
            "original": notification,
            "raw": as_sent.text(notification),
        }
        return TemplateResponse(request, "admin/tickets/notification/raw.html", context)

    def _send_again(self, request):
        number = request.POST.get("send_again", "")
        if not self.has_resend_permission(request):
            raise PermissionDenied
        if is_number(number):
            self.send_again(request, Notification.objects.filter(pk=number))
        else:
            messages.error(request, _("Choose an email."))
        return HttpResponseRedirect(f"{reverse('admin:mail')}?{request.GET.urlencode()}")

    @staticmethod
    def _query(request, *, after) -> str:
        query: QueryDict = request.GET.copy()
        query.pop("after", None)
        if after:
            query["after"] = str(after)
        return query.urlencode()
