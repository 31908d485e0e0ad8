"""Mailboxes: the list with their state, the cards to add one, the page that changes one, and its test."""

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts import links
from helpdesk.lists.admin import StaffListMixin
from tickets.admin.mail import hops
from tickets.forms.mailboxes import APPLICATION, KINDS, SECRET, SERVER, ConnectForm, MailboxForm
from tickets.mail import authorization, probing, setup_texts
from tickets.mail.access_tokens import TokenLater, TokenRefused
from tickets.mail.receiving.fetching import connecting
from tickets.mail.receiving.fetching.problems import FetchProblem
from tickets.models import Mailbox, MailboxState

Health = MailboxState.Health
COLOURS = {
    Health.NEW: "grey",
    Health.OK: "green",
    Health.SLOW: "amber",
    Health.REFUSED: "red",
    Health.UNREACHABLE: "red",
}
# The fields of the application that a way to log in uses.
APPLICATION_OF = {
    Mailbox.Auth.MICROSOFT_APP: APPLICATION,
    Mailbox.Auth.MICROSOFT_PERSON: APPLICATION,
    Mailbox.Auth.GOOGLE_APP: ("client_id",),
}
FLOW = "mailbox_connection"  # in the session
SECTIONS = (
    (None, ("name", "address", "sender_name", "category", "is_active", "is_default")),
    (_("Sending and receiving"), ("sends_by", "fetches_by")),
    (_("Server"), SERVER),
    (_("Application"), APPLICATION),
    (_("Secret"), (SECRET,)),
    (_("Incoming email"), ("after", "filed_folder", "new_tickets_when", "plus", "first_contact")),
    (_("Verification of senders"), ("proof", "authserv_id")),
)


class SuperusersChangeMixin:
    """Who has the view permission sees these settings. Superusers change them."""

    def has_add_permission(self, request):
        return request.user.is_superuser

    def has_change_permission(self, request, obj=None):
        return request.user.is_superuser

    def has_delete_permission(self, request, obj=None):
        return request.user.is_superuser


@admin.register(Mailbox)
class MailboxAdmin(SuperusersChangeMixin, StaffListMixin, admin.ModelAdmin):
    list_display = ("address", "outgoing", "incoming", "category", "default")
    actions = None
    sortable_by = ()
    ordering = ("address",)
    form = MailboxForm
    change_form_template = "admin/tickets/mailbox/change_form.html"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("state", "category")

    def has_change_permission(self, request, obj=None):
        """A mailbox of the environment is changed there."""
        is_ours = obj is None or obj.source == Mailbox.Source.ADMIN
        return is_ours and super().has_change_permission(request, obj)

    @admin.display(description=_("outgoing"))
    def outgoing(self, mailbox):
        if mailbox.sends_by == Mailbox.Sending.NO:
            return None
        state = state_of(mailbox)
        return badge(mailbox, state.send_state, state.get_send_state_display())

    @admin.display(description=_("incoming"))
    def incoming(self, mailbox):
        if mailbox.fetches_by == Mailbox.Fetching.NO:
            return None
        if mailbox.fetches_by in (Mailbox.Fetching.WEBHOOK, Mailbox.Fetching.PIPE):
            return mailbox.get_fetches_by_display()
        state = state_of(mailbox)
        return badge(mailbox, state.fetch_state, state.get_fetch_state_display())

    @admin.display(description=_("default"))
    def default(self, mailbox):
        return _("yes") if mailbox.is_default else None

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = self.form if obj else self._form_of_kind(request)
        return super().get_form(request, obj, change=change, form=form, **kwargs)

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return [(None, {"fields": list(self._form_of_kind(request).base_fields)})]
        may_change = self.has_change_permission(request, obj)
        sections = [
            (title, [name for name in names if self._applies(name, obj) and (name != SECRET or may_change)])
            for title, names in SECTIONS
        ]
        return [(title, {"fields": names}) for title, names in sections if names]

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request) or request.GET.get("kind") in KINDS:
            kind = KINDS.get(request.GET.get("kind"))
            context = {"title": kind[1], "kind": request.GET["kind"]} if kind else {}
            return super().add_view(request, form_url, {**(extra_context or {}), **context})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Add a mailbox"),
            "has_provider": settings.HAS_MAIL_PROVIDER,
            "kinds": [(name, title, text) for name, (_form, title, text) in KINDS.items()],
        }
        return TemplateResponse(request, "admin/tickets/mailbox/kinds.html", context)

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/test/", wrap(self.test_view), name="tickets_mailbox_test"),
            path("<int:pk>/connect/", wrap(self.connect_view), name="tickets_mailbox_connect"),
            path("connected/", wrap(self.connected_view), name="tickets_mailbox_connected"),
            path("<int:pk>/older/", wrap(self.older_view), name="tickets_mailbox_older"),
            *super().get_urls(),
        ]

    def test_view(self, request, pk):
        """The last test. A post starts one."""
        if not request.user.is_superuser:
            raise PermissionDenied
        mailbox = get_object_or_404(Mailbox, pk=pk)
        if request.method == "POST":
            probing.start(mailbox, by=request.user)
            return redirect("admin:tickets_mailbox_test", pk)
        probe = mailbox.probes.first()
        context = {
            "mailbox": mailbox,
            "probe": probe,
            "hops": hops.lines(probe),
            "is_over": hops.is_over(probe),
        }
        if request.headers.get("HX-Request") == "true":
            return TemplateResponse(request, "admin/tickets/mailbox/includes/hops.html", context)
        context |= self.admin_site.each_context(request)
        context |= {"opts": self.opts, "title": _("Test of %(mailbox)s") % {"mailbox": mailbox}}
        return TemplateResponse(request, "admin/tickets/mailbox/test.html", context)

    def connect_view(self, request, pk):
        """Leads to the login of the provider. A link, because the content policy keeps forms on our pages."""
        if not request.user.is_superuser:
            raise PermissionDenied
        mailbox = get_object_or_404(Mailbox, pk=pk, auth__in=authorization.BY_PERSON)
        flow = {"state": authorization.new_verifier(), "verifier": authorization.new_verifier()}
        request.session[FLOW] = flow | {"mailbox": mailbox.pk}
        return redirect(authorization.page_of_provider(mailbox, **flow, back=back_address()))

    def connected_view(self, request):
        """The provider sends the browser here, with a code or an error."""
        flow = request.session.pop(FLOW, None)
        is_ours = flow and constant_time_compare(request.GET.get("state", ""), flow["state"])
        if not request.user.is_superuser or not is_ours:
            raise PermissionDenied
        mailbox = get_object_or_404(Mailbox, pk=flow["mailbox"])
        code, verifier = request.GET.get("code", ""), flow["verifier"]
        try:
            if not code:
                raise TokenRefused(request.GET.get("error_description") or request.GET.get("error", ""))
            authorization.connect(mailbox, code=code, verifier=verifier, back=back_address())
        except (TokenRefused, TokenLater) as error:
            messages.error(request, _("The mailbox is not connected: %(why)s") % {"why": error})
        else:
            messages.success(request, _("The mailbox is connected. Test it now."))
        return redirect("admin:tickets_mailbox_change", mailbox.pk)

    def older_view(self, request, pk):
        """Asks what to do with the emails that are in the mailbox already."""
        if not request.user.is_superuser:
            raise PermissionDenied
        mailbox = get_object_or_404(Mailbox.objects.fetched(), pk=pk)
        form = ConnectForm(request.POST or None)
        context = {"mailbox": mailbox, "form": form}
        try:
            if form.is_valid():
                connecting.connect(mailbox, form.cleaned_data["old"], days=form.cleaned_data["days"] or 0)
                messages.success(request, _("Saved. Emails are read from there."))
                return redirect("admin:tickets_mailbox_change", pk)
            context["lying"] = connecting.count(mailbox)
        except FetchProblem as problem:
            context["problem"] = str(problem)
        context |= self.admin_site.each_context(request)
        context |= {"opts": self.opts, "title": _("Older email in %(mailbox)s") % {"mailbox": mailbox}}
        return TemplateResponse(request, "admin/tickets/mailbox/older.html", context)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            is_of_environment = obj.source == Mailbox.Source.ENVIRONMENT
            context |= {
                "title": obj.address,
                "subtitle": None,
                "may_test": request.user.is_superuser,
                "probe": obj.probes.first(),
                "state": state_lines(obj),
                "is_fetched": obj.fetches_by in (Mailbox.Fetching.IMAP, Mailbox.Fetching.GRAPH),
                "commands": setup_texts.exchange_commands(obj),
                "is_of_environment": is_of_environment,
                "may_connect": request.user.is_superuser and obj.auth in authorization.BY_PERSON,
                "back_address": back_address(),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _form_of_kind(self, request):
        """The form for the card that was chosen; add_view() shows the cards first."""
        kind = KINDS.get(request.GET.get("kind"))
        return kind[0] if kind else self.form

    @staticmethod
    def _applies(name: str, mailbox: Mailbox | None) -> bool:
        """Whether a field means anything for this kind of mailbox."""
        if mailbox is None:
            return True
        if name in SERVER:
            return mailbox.sends_by == Mailbox.Sending.SMTP or mailbox.fetches_by == Mailbox.Fetching.IMAP
        if name in APPLICATION:
            return name in APPLICATION_OF.get(mailbox.auth, ())
        return name != SECRET or mailbox.sends_by != Mailbox.Sending.ESP


def back_address() -> str:
    """Where providers send the browser after the login. They must know this address."""
    return links.absolute("admin:tickets_mailbox_connected")


def state_of(mailbox: Mailbox) -> MailboxState:
    return getattr(mailbox, "state", None) or MailboxState(mailbox=mailbox)


def state_lines(mailbox: Mailbox) -> list[tuple[str, str, object, str]]:
    """How sending and receiving go: what, in which state, since when, and the last error."""
    state, lines = state_of(mailbox), []
    if mailbox.sends_by != Mailbox.Sending.NO:
        words = badge(mailbox, state.send_state, state.get_send_state_display())
        lines.append((_("Outgoing"), words, state.sent_at, state.send_error))
    if mailbox.fetches_by in (Mailbox.Fetching.IMAP, Mailbox.Fetching.GRAPH):
        words = badge(mailbox, state.fetch_state, state.get_fetch_state_display())
        lines.append((_("Incoming"), words, state.fetched_at, state.fetch_error))
    return lines


def badge(mailbox: Mailbox, health: str, label: str) -> str:
    colour = COLOURS[health] if mailbox.is_active else "grey"
    shown = {"colour": colour, "label": label if mailbox.is_active else _("inactive")}
    return render_to_string("admin/tickets/includes/state.html", shown)
