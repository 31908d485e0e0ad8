"""Incoming emails: their outcome, and decisions about those in quarantine."""

from csp.constants import NONE, SELF
from csp.decorators import csp, csp_update
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from helpdesk.lists.admin import ReadOnlyMixin, StaffListMixin
from tickets.admin.mail.ledger import MailRowMixin
from tickets.admin.queue.filters import ChoiceFilter
from tickets.forms.inbound import DecisionForm
from tickets.mail.receiving import handler, parsing
from tickets.mail.receiving.forecast import Forecast, forecast
from tickets.mail.receiving.markup import safe_html
from tickets.models import BlockedSender, InboundEmail
from tickets.search.query import ticket_number
from tickets.storage.access import StoreUnavailable

State = InboundEmail.State
# The fields of the page, each with the field that must have a value for it to appear.
FACTS = {
    "state_badge": None, "why": "reason", "detail": "detail", "received_at": None, "sender": "sender",
    "recipient": "recipient", "route": None, "ticket_number": "ticket_id", "handled_by": "handled_by",
    "identity": None, "size": None,
}  # fmt: skip
MOST_SHOWN = 50_000  # characters of an email's text


class InboundStateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = "state"
    choices_offered = [
        (state.value, state.label)
        for state in (State.QUARANTINED, State.FAILED, State.FILED, State.IGNORED, State.RECEIVED)
    ]


class InboundReasonFilter(ChoiceFilter):
    """Has no choices, because the reasons are sentences. The email log links to it."""

    title = _("reason")
    parameter_name = "reason"
    choices_offered = InboundEmail.Reason.choices

    def has_output(self):
        return self.value() is not None


@admin.register(InboundEmail)
class InboundEmailAdmin(MailRowMixin, StaffListMixin, ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("received_at", "sender", "subject", "state_badge", "why", "ticket_number")
    list_filter = (InboundStateFilter, InboundReasonFilter)
    sortable_by = ()
    counted_names = (_("email"), _("emails"))
    search_fields = ("sender", "subject")
    search_help_text = _("Sender, subject or ticket number")
    change_form_template = "admin/tickets/inboundemail/change_form.html"

    def get_queryset(self, request):
        return super().get_queryset(request).without_raw()

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/decide/", wrap(self.decide_view), name="tickets_inboundemail_decide"),
            path("<int:pk>/raw/", wrap(self.raw_view), name="tickets_inboundemail_raw"),
            path("<int:pk>/html/", wrap(self.html_view), name="tickets_inboundemail_html"),
            *super().get_urls(),
        ]

    def get_fields(self, request, obj=None):
        """Returns the fields that have a value for this email."""
        return [fact for fact, needs in FACTS.items() if needs is None or getattr(obj, needs)]

    @admin.display(description=_("reason"), empty_value="–")
    def why(self, email):
        return email.get_reason_display() or None

    def get_search_results(self, request, queryset, search_term):
        if number := ticket_number(search_term):
            return queryset.filter(ticket_id=number), False
        return super().get_search_results(request, queryset, search_term)

    def has_decide_permission(self, request) -> bool:
        return request.user.has_perm("tickets.decide_inboundemail")

    @method_decorator(csp_update({"frame-src": [SELF]}))
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        may_decide = self.has_decide_permission(request) and obj.state in handler.UNDECIDED
        mail = _opened(obj)
        expected = forecast(obj, mail) if mail and may_decide else None
        initial = {"invites": expected.invites} if expected else {}
        context = {
            "form_of_decision": DecisionForm(initial=initial, email=obj, by=request.user)
            if may_decide
            else None,
            **context,
            "title": obj.subject or _("Email without a subject"),
            "subtitle": None,
            "mail": mail,
            "forecast": expected,
            "may_block_sender": expected is not None and bool(mail.sender) and not expected.accept,
            "shown_text": mail.text[:MOST_SHOWN] if mail else "",
            "is_longer": mail is not None and (mail.is_cut or len(mail.text) > MOST_SHOWN),
            "likely_act": _likely_act(obj, expected),
            "shows_html": "html" in request.GET,
        }
        return super().render_change_form(request, context, add, change, form_url, obj)

    @method_decorator(require_POST)
    def decide_view(self, request, pk):
        email = self._email_or_404(request, pk)
        if not self.has_decide_permission(request):
            raise PermissionDenied
        form = DecisionForm(request.POST, email=email, by=request.user)
        if not form.is_valid():
            if "act" in form.errors:
                messages.warning(request, _("Choose how this email should be handled."))
            else:
                messages.warning(request, " ".join(form.errors.get("number", [])))
            return HttpResponseRedirect(self._page_url(pk))
        try:
            email = form.save()
        except handler.CannotDecide as error:
            messages.warning(request, str(error))
        except StoreUnavailable:
            text = _("Files can't be stored right now. The email is kept. Try again later.")
            messages.warning(request, text)
        else:
            is_settled = email.state in (State.FILED, State.IGNORED)
            tell = messages.success if is_settled else messages.warning
            tell(request, _outcome(email))
        return HttpResponseRedirect(self._page_url(pk))

    @method_decorator(csp({"default-src": [NONE], "sandbox": True, "frame-ancestors": [NONE]}))
    def raw_view(self, request, pk):
        """Serves the original email as a download."""
        email = self._email_or_404(request, pk)
        headers = {"Content-Disposition": f'attachment; filename="mail-{pk}.eml"'}
        return HttpResponse(bytes(email.raw), content_type="application/octet-stream", headers=headers)

    @method_decorator(csp({"default-src": [NONE], "sandbox": True, "frame-ancestors": [SELF]}))
    @method_decorator(xframe_options_sameorigin)
    def html_view(self, request, pk):
        """Serves the sanitized HTML part for the frame on the email's page."""
        mail = _opened(self._email_or_404(request, pk))
        if mail is None or not mail.html:
            raise Http404
        clean, is_cut = safe_html(mail.html)
        context = {
            "html": mark_safe(clean),  # noqa: S308 - nh3 has cleaned it
            "is_longer": is_cut or mail.is_cut,
        }
        return HttpResponse(render_to_string("admin/tickets/inboundemail/frame.html", context))

    def _email_or_404(self, request, pk) -> InboundEmail:
        email = InboundEmail.objects.filter(pk=pk).first()
        if email is None:
            raise Http404
        if not self.has_view_permission(request, email):
            raise PermissionDenied
        return email

    @staticmethod
    def _page_url(pk: int) -> str:
        return reverse("admin:tickets_inboundemail_change", args=[pk])


@admin.register(BlockedSender)
class BlockedSenderAdmin(StaffListMixin, admin.ModelAdmin):
    list_display = ("address", "blocked_by", "since")
    list_select_related = ("blocked_by",)
    sortable_by = ()
    search_fields = ("address",)
    fields = ("address",)

    def has_change_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        obj.blocked_by = request.user
        super().save_model(request, obj, form, change)


def _opened(email: InboundEmail) -> parsing.Mail | None:
    try:
        return handler.opened(email)
    except handler.CannotDecide:
        return None


def _likely_act(email: InboundEmail, expected: Forecast | None) -> str:
    """Returns the preselected decision; an ignored email needs none."""
    if email.state == State.QUARANTINED:
        return DecisionForm.Act.RELEASE if expected and expected.accept else DecisionForm.Act.TICKET
    return DecisionForm.Act.REPLAY if email.state == State.FAILED else ""


def _outcome(email: InboundEmail) -> str:
    if email.state == State.FILED:
        return _("Email added to #%(number)d.") % {"number": email.ticket_id}
    return email.get_reason_display()
