"""The ticket's page in the admin: the details and how they are saved. PARTS holds the rest."""

from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminErrorList, AdminForm
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.validators import number_or_none
from tickets.actions import claiming, submissions, undoing
from tickets.actions.drafts import key_of
from tickets.admin.ticket import joined
from tickets.admin.ticket.neighbours import page_url, queue_url
from tickets.admin.ticket.parts import EditConflict, Part, page_of
from tickets.admin.ticket.undoing import with_undo
from tickets.forms.admin import NewTicketAdminForm, TicketAdminForm
from tickets.forms.drafts import show_details_draft
from tickets.forms.tickets import RANDOM
from tickets.models import ActivityLog, Draft, NotStaff, Ticket
from tickets.models.draft import DraftVersion


def is_saved_alone(request: HttpRequest) -> bool:
    """Whether static/js/facts.js saves a changed detail and goes on showing the page."""
    return request.method == "POST" and request.headers.get("X-Saves-Details") == "yes"


class TicketPageAdmin(admin.ModelAdmin):
    """Saves the details of a ticket. Everything else on its page is in PARTS."""

    PARTS: tuple[type[Part], ...] = ()
    change_form_template = "admin/tickets/ticket/change_form.html"
    autocomplete_fields = ("requester",)

    @cached_property
    def parts(self) -> list[Part]:
        return [part(self) for part in self.PARTS]

    def get_urls(self):
        return [*(url for part in self.parts for url in part.urls()), *super().get_urls()]

    @cached_property
    def forms(self) -> dict[tuple, type[ModelForm]]:
        return {}

    def get_form(self, request, obj=None, change=False, **kwargs):
        """Makes each class once. It only differs for people who may not change the ticket."""
        is_editable = not change or self.has_change_permission(request, obj)
        key = (change, is_editable, *(kwargs.get("fields") or ()))
        if key not in self.forms:
            form = TicketAdminForm if change else NewTicketAdminForm
            self.forms[key] = super().get_form(request, obj, change=change, form=form, **kwargs)
        return self.forms[key]

    def get_fields(self, request, obj=None):
        return TicketAdminForm.Meta.fields

    def get_fieldsets(self, request, obj=None):
        return super().get_fieldsets(request, obj) if obj else NewTicketAdminForm.FIELDSETS

    def get_object(self, request, object_id, from_field=None):
        """Locks the row during a save, so that the checked version is the one that is replaced.

        Does not load the ticket's people: TicketPage does, with the others of the page.
        """
        tickets = self.get_queryset(request).order_by()
        is_read = request.method != "POST"
        tickets = tickets.select_related("category", "status") if is_read else tickets.select_for_update()
        try:
            return tickets.filter(pk=Ticket._meta.pk.to_python(object_id)).first()
        except ValidationError:  # not a number
            return None

    def get_changeform_initial_data(self, request):
        """Ignores the query string, because Django's version accepts any text as the primary key of
        a person.
        """
        return {}

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if joined.are_sent(request) and (ticket := self._ticket_to_work_on(request, object_id)):
            joined.keep_reply(request, ticket)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except EditConflict as conflict:
            return self.conflict_page(request, conflict.form)
        except NotStaff:  # the assignee stopped working after validation; now the form says so
            return super().changeform_view(request, object_id, form_url, extra_context)

    def _ticket_to_work_on(self, request, object_id: str | None) -> Ticket | None:
        ticket = self.get_queryset(request).filter(pk=number_or_none(object_id or "")).first()
        return ticket if ticket and self.has_change_permission(request, ticket) else None

    def render_page(self, request, ticket: Ticket, refused: dict):
        """Renders the page, with submitted forms of its parts that were refused."""
        fieldsets = self.get_fieldsets(request, ticket)
        form_class = self.get_form(request, ticket, change=True, fields=flatten_fieldsets(fieldsets))
        readonly = self.get_readonly_fields(request, ticket)
        form = refused.pop("details_form", None) or form_class(instance=ticket)
        details = AdminForm(form, list(fieldsets), {}, readonly, model_admin=self)
        context = {
            **self.admin_site.each_context(request),
            "adminform": details,
            "errors": AdminErrorList(details.form, []),
            "inline_admin_formsets": [],
            "is_popup": False,
            "media": self.media + details.media,
            "object_id": str(ticket.pk),
            "original": ticket,
            "preserved_filters": self.get_preserved_filters(request),
            "refused": refused,
            "to_field": None,
        }
        return self.render_change_form(request, context, change=True, obj=ticket)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj and is_saved_alone(request):
            return self.details_alone(request, context["adminform"].form, status=422)
        if obj:
            page = page_of(obj, request, refused=context.get("refused"))
            form = context["adminform"].form
            if "reply_form" in page.forms and self.has_change_permission(request, obj):
                joined.join(form)
            show_details_draft(form, page.details_draft)
            for part in self.parts:
                context = part.context(request, page) | context
            tickets_url = queue_url()
            context |= {
                # Templates append the rest: resolving each URL by its name takes a tenth of the page.
                "tickets_url": tickets_url,
                "address": f"{tickets_url}{obj.pk}/",
                "title": f"#{obj.pk} {obj.subject}",
                "subtitle": None,
                "ticket": obj,
                "details_draft": page.details_draft,
            }
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_form(self, request, form, change):
        """Files a new ticket once if it is submitted twice: its form has a key."""
        ticket = super().save_form(request, form, change)
        key = key_of(request.POST.get("draft_key", ""))
        is_new = not change and key is not None and key.version == RANDOM
        form.filed = submissions.filed_already(ticket, key) if is_new else None
        return form.filed or ticket

    def save_related(self, request, form, formsets, change):
        if not form.filed:
            super().save_related(request, form, formsets, change)

    def save_model(self, request, obj, form, change):
        if form.filed:
            return
        if change and form.conflicts:
            raise EditConflict(form)
        if change:
            with undoing.undoable(obj, person=request.user):
                super().save_model(request, obj, form, change)
            return
        super().save_model(request, obj, form, change)
        if form.is_invited:
            text = _("%(person)s is new and will be asked by email to choose a password.")
            self.message_user(request, text % {"person": obj.requester})

    def response_change(self, request, obj):
        """Stays on the ticket after saving."""
        self._forget_draft(request, obj)
        if is_saved_alone(request):
            return self.details_alone(request, self.form_of_stored(request, obj.pk), undo=obj.undo)
        self.message_user(request, with_undo(request, obj, _("Changes saved.")), messages.SUCCESS)
        return HttpResponseRedirect(page_url(request, obj.pk))

    @staticmethod
    def _forget_draft(request, ticket: Ticket) -> None:
        if joined.are_sent(request):
            joined.forget_details(request, ticket)
            return
        key, restored = request.POST.get("key", ""), request.POST.get("restored", "")
        place = {"person": request.user, "ticket": ticket, "kind": Draft.Kind.DETAILS}
        Draft.objects.forget(**place, key=key_of(key), restored=DraftVersion.read(restored))

    def form_of_stored(self, request, pk: int):
        """Returns the form of the details as they are stored."""
        ticket = self.get_queryset(request).with_people().get(pk=pk)
        return self.get_form(request, ticket, change=True)(instance=ticket)

    @staticmethod
    def details_alone(request, form, *, status: int = 200, undo: str = "") -> HttpResponse:
        """The fields of the details, as they are stored or as they were refused (422)."""
        fields = "admin/tickets/ticket/includes/facts_fields.html"
        return render(request, fields, {"form": form, "undo": undo}, status=status)

    @staticmethod
    def _who_was_faster(form) -> str:
        """Returns who has the ticket if the form would assign it to another person; else an empty text."""
        stored = form.stored["assignee"]
        if stored is None or form.cleaned_data.get("assignee") == stored:
            return ""
        return claiming.who_has_it(Ticket.objects.select_related("assignee").get(pk=form.instance.pk))

    def conflict_page(self, request, form):
        typed = form.renewed().data
        context = {
            **self.admin_site.each_context(request),
            "title": _("This ticket was changed by someone else"),
            "opts": self.opts,
            "ticket": form.instance,
            "conflicts": form.conflicts,
            "stored_by": ActivityLog.objects.last_saver(form.instance),
            "who_has_it": self._who_was_faster(form),
            "typed": [(name, value) for name, values in typed.lists() for value in values],
        }
        return TemplateResponse(request, "admin/tickets/ticket/conflict.html", context, status=409)
