"""The page of a ticket in the admin. Its parts are mixins, each in a module of its own."""

from collections.abc import Callable
from copy import copy
from functools import wraps

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.mixins import without_detours
from accounts.validators import is_number
from tickets import claiming
from tickets.admin.neighbours import FILTERS, queue_query, queue_url
from tickets.drafts import key_of
from tickets.forms.admin import NewTicketAdminForm, TicketAdminForm
from tickets.forms.drafts import show_details_draft
from tickets.models import ActivityLog, Draft, NotStaff, Ticket
from tickets.models.draft import Mark
from tickets.views.tickets import absent_when_gone

OTHER_TICKETS_SHOWN = 5


def seen_in(request: HttpRequest) -> int | None:
    """The number of the assignee whom the page showed that sent the request; None: nobody."""
    number = request.POST.get("seen", "")
    return int(number) if is_number(number) else None


def take_over(request: HttpRequest, ticket: Ticket, claimed: claiming.Claimed) -> SafeString:
    """What the queue says of a ticket that somebody else has, with the button to take it all the same."""
    context = {"ticket": ticket, "text": claimed.message, "query": request.GET.urlencode()}
    return render_to_string("admin/tickets/ticket/includes/take_over.html", context)


class EditConflict(Exception):
    """Somebody else has saved the ticket since this form was shown."""

    def __init__(self, form):
        super().__init__()
        self.form = form


class TicketPage(admin.ModelAdmin):
    """A part adds addresses in get_urls() by page_path(), and to page_context() what its template needs."""

    change_form_template = "admin/tickets/ticket/change_form.html"
    autocomplete_fields = ("requester",)

    def page_context(self, request: HttpRequest, ticket: Ticket) -> dict:
        """The context of the page of `ticket`; parts add to what super() returns."""
        return {}

    def page_path(self, route: str, view: Callable, name: str) -> URLPattern:
        """The address `<pk>/<route>/` of a view (request, pk), under the name admin:tickets_ticket_<name>."""

        @wraps(view)
        def act(request, pk):
            with absent_when_gone(pk):
                return view(request, pk)

        return path(f"<int:pk>/{route}/", self.admin_site.admin_view(act), name=f"tickets_ticket_{name}")

    def page_url(self, request: HttpRequest, pk: int) -> str:
        """The page of a ticket, which remembers the queue that the person came from."""
        url, query = reverse("admin:tickets_ticket_change", args=[pk]), queue_query(request)
        return f"{url}?{query}" if query else url

    def page_with(self, request: HttpRequest, pk: int, **context):
        """The ticket's page as a GET shows it, with forms that were refused."""
        shown = copy(request)
        shown.method = "GET"
        return self.changeform_view(shown, str(pk), extra_context=context)

    def ticket_or_404(self, request: HttpRequest, pk: int, *, lock: bool = False) -> Ticket:
        """Raises Http404, or PermissionDenied where the person may not work on tickets."""
        tickets = Ticket.objects.visible_to(request.user)
        # Not joined when locked: see tickets.views.tickets.LockedTicketMixin.
        tickets = tickets.select_for_update() if lock else tickets.with_people()
        ticket = tickets.filter(pk=pk).first()
        if ticket is None:
            raise Http404
        if not self.has_change_permission(request, ticket):
            raise PermissionDenied
        return ticket

    def get_urls(self):
        return [self.page_path("take", self.take_view, "take"), *super().get_urls()]

    @method_decorator(require_POST)
    def take_view(self, request, pk):
        """Assigns the ticket to the person, unless somebody else has it whom the page did not show."""
        is_from_queue = "to_queue" in request.POST
        with transaction.atomic():
            ticket = self.ticket_or_404(request, pk, lock=True)
            try:
                claiming.take(ticket, request.user, seen=seen_in(request))
            except claiming.Claimed as claimed:
                text = take_over(request, ticket, claimed) if is_from_queue else claimed.message
                self.message_user(request, text, messages.WARNING)
            except NotStaff as error:
                self.message_user(request, str(error), messages.WARNING)
            else:
                text = _("#%(number)d is now assigned to you.") % {"number": pk}
                self.message_user(request, text, messages.SUCCESS)
        if is_from_queue:
            return HttpResponseRedirect(queue_url(request.GET.get(FILTERS, "")))
        return HttpResponseRedirect(self.page_url(request, pk))

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = TicketAdminForm if change else NewTicketAdminForm
        return without_detours(super().get_form(request, obj, change=change, form=form, **kwargs))

    def get_fields(self, request, obj=None):
        return TicketAdminForm.Meta.fields

    def get_fieldsets(self, request, obj=None):
        return super().get_fieldsets(request, obj) if obj else NewTicketAdminForm.FIELDSETS

    def get_object(self, request, object_id, from_field=None):
        """Locked while it is saved, so that the version that was checked is the one that is replaced."""
        tickets = self.get_queryset(request)
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
        except NotStaff:  # left between the check of the form and its saving: now the form says so
            return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj:
            page = self.page_context(request, obj)
            show_details_draft(context["adminform"].form, page.get("details_draft"))
            context = {
                **page,
                **context,
                "title": f"#{obj.pk} {obj.subject}",
                "subtitle": None,
                "ticket": obj,
                "page_query": queue_query(request),
                "other_tickets": Ticket.objects.filter(requester=obj.requester)
                .exclude(pk=obj.pk)
                .newest_change_first()
                .values("pk", "subject", "status__name")[:OTHER_TICKETS_SHOWN],
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request, obj, form, change):
        if change and form.conflicts:
            raise EditConflict(form)
        super().save_model(request, obj, form, change)
        if not change and form.is_invited:
            text = _("%(person)s is new here and is asked by mail to choose a password.")
            self.message_user(request, text % {"person": obj.requester})

    def response_change(self, request, obj):
        """Whoever saves stays on the ticket."""
        key, restored = key_of(request.POST.get("key", "")), Mark.read(request.POST.get("restored", ""))
        place = {"person": request.user, "ticket": obj, "kind": Draft.Kind.DETAILS}
        Draft.objects.forget(**place, key=key, restored=restored)
        self.message_user(request, _("Your changes are saved."), messages.SUCCESS)
        return HttpResponseRedirect(self.page_url(request, obj.pk))

    @staticmethod
    def _who_was_faster(form) -> str:
        """Who has the ticket, where the form would assign it to somebody else; empty where it would not."""
        stored = form.stored["assignee"]
        if stored is None or form.cleaned_data.get("assignee") == stored:
            return ""
        return claiming.who_has_it(Ticket.objects.select_related("assignee").get(pk=form.instance.pk))

    def conflict_page(self, request, form):
        typed = form.renewed().data
        context = {
            **self.admin_site.each_context(request),
            "title": _("Somebody else changed it too"),
            "opts": self.opts,
            "ticket": form.instance,
            "conflicts": form.conflicts,
            "stored_by": ActivityLog.objects.last_saver(form.instance),
            "who_has_it": self._who_was_faster(form),
            "typed": [(name, value) for name, values in typed.lists() for value in values],
        }
        return TemplateResponse(request, "admin/tickets/ticket/conflict.html", context, status=409)
