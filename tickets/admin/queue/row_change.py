"""The form that changes assignee, status or priority of one ticket, opened from its row in the queue.

The queue's script shows it as a menu at the row (static/js/row_change.js). Without a script it is a page.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from helpdesk.lists import paging
from tickets.actions import undoing
from tickets.admin.queue.bulk_changes import BULK_CHANGES, BulkChange, ValueForm
from tickets.admin.ticket.neighbours import FILTERS, page_url, queue_url
from tickets.admin.ticket.undoing import with_undo
from tickets.models import NotStaff, Ticket
from tickets.rules.refusals import reason_of
from tickets.views.tickets import not_found_if_deleted

ROW_CHANGES = ("assign_to", "set_status", "set_priority")
BY_SCRIPT = "X-Row-Change"  # the header of the script, which gets JSON instead of a redirect


@dataclass(frozen=True)
class RowChoice:
    """A button of the form."""

    value: str
    label: str
    is_here: bool
    is_waiting: bool = False  # a status that needs a reason
    initials: str = ""  # of a person
    load: str = ""  # how many open tickets the person has


class RowChangesMixin(admin.ModelAdmin):
    def get_urls(self):
        view = self.admin_site.admin_view(self.row_view)
        return [path("<int:pk>/set/<slug:name>/", view, name="tickets_ticket_set"), *super().get_urls()]

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def row_view(self, request, pk, name):
        if name not in ROW_CHANGES:
            raise Http404
        change = BULK_CHANGES[name]
        with not_found_if_deleted(pk), transaction.atomic():
            ticket = self._ticket_of_row(request, pk, lock=request.method == "POST")
            if request.method != "POST":
                return self._row_page(request, change, ticket, change.form_class())
            form = change.form_class(request.POST)
            if form.is_valid():
                self._apply(request, change, ticket, form)
            if form.errors:
                status = 409 if request.POST.get("seen") != change.stored(ticket) else 422
                return self._row_page(request, change, ticket, form, status=status)
        return self._answer(request, change, ticket)

    def _ticket_of_row(self, request, pk: int, *, lock: bool) -> Ticket:
        tickets = Ticket.objects.visible_to(request.user)
        ticket = (tickets.select_for_update() if lock else tickets).filter(pk=pk).first()
        if ticket is None:
            raise Http404
        if not self.has_change_permission(request, ticket):
            raise PermissionDenied
        return ticket

    def _apply(self, request, change: BulkChange, ticket: Ticket, form: ValueForm) -> None:
        """Changes the ticket. If the change is refused or the row was stale, the form gets an error."""
        if change.stays(ticket, form.chosen):
            return
        if news := change.news(ticket, request.POST.get("seen", "")):
            form.add_error(None, news)
            return
        try:
            with transaction.atomic(), undoing.undoable(ticket, person=request.user):
                change.apply(ticket, form.chosen)
        except (ValidationError, NotStaff) as error:
            form.add_error(None, reason_of(error))
            ticket.refresh_from_db()

    def _row_page(self, request, change: BulkChange, ticket: Ticket, form: ValueForm, *, status: int = 200):
        choices = list(row_choices(change, ticket, form))
        context = {
            **self.admin_site.each_context(request),
            "title": f"#{ticket.pk} {ticket.subject}",
            "opts": self.opts,
            "original": ticket,
            "form": form,
            "label": form.fields["value"].label,
            "news": change.news(ticket, request.GET.get("seen", "")) if not form.is_bound else "",
            "seen": change.stored(ticket),
            "me": request.user if change.field == "assignee" else None,
            "choices": [choice for choice in choices if not choice.is_waiting],
            "waiting": [choice for choice in choices if choice.is_waiting],
            "queue_url": way_back(request, ticket),
        }
        return TemplateResponse(request, "admin/tickets/ticket/row_change.html", context, status=status)

    def _answer(self, request, change: BulkChange, ticket: Ticket):
        words = {"number": ticket.pk, "field": form_label(change), "value": present_words(change, ticket)}
        text = _("#%(number)d, %(field)s: %(value)s") % words
        if BY_SCRIPT in request.headers:
            return JsonResponse({"said": text, "undo": ticket.undo})
        messages.success(request, with_undo(request, ticket, text, to_queue="to_ticket" not in request.GET))
        return HttpResponseRedirect(way_back(request, ticket))


def way_back(request: HttpRequest, ticket: Ticket) -> str:
    """The queue, or the ticket's page if the palette opened the form there (tickets/admin/palette.py)."""
    if "to_ticket" in request.GET:
        return page_url(request, ticket.pk)
    return queue_url(request.GET.get(FILTERS, ""))


def form_label(change: BulkChange) -> str:
    return change.form_class.base_fields["value"].label


def present_words(change: BulkChange, ticket: Ticket) -> str:
    present = {"assignee": ticket.assignee or _("Unassigned"), "status": ticket.status}
    return str(present.get(change.field, ticket.get_priority_display()))


def row_choices(change: BulkChange, ticket: Ticket, form: ValueForm) -> Iterator[RowChoice]:
    """Returns what the form offers."""
    offer = {"assignee": _people, "status": _statuses}.get(change.field, _values)
    return offer(list(form.fields["value"].choices), change.stored(ticket), ticket)


def _values(choices: list, stored: str, _ticket) -> Iterator[RowChoice]:
    for value, label in choices:
        yield RowChoice(value, str(label), value == stored)


def _statuses(choices: list, stored: str, ticket: Ticket) -> Iterator[RowChoice]:
    """Leaves out the statuses that may not follow the present one."""
    for value, label in choices:
        status = value.instance
        if not ticket.refusal_of(status):
            yield RowChoice(str(value), str(label), str(value) == stored, status.is_waiting)


def _people(choices: list, stored: str, _ticket) -> Iterator[RowChoice]:
    """Adds how many open tickets each person has, in one query."""
    people = [value.instance for value, _label in choices if value]
    open_tickets = Ticket.objects.open()
    loads = paging.capped_counts(open_tickets.assigned_to(person) for person in people) if people else []
    words = {person.pk: load_words(count) for person, count in zip(people, loads, strict=True)}
    for value, label in choices:
        person = value.instance if value else None
        shown = (person.initials, words[person.pk]) if person else ("", "")
        yield RowChoice(str(value), str(label), str(value) == stored, False, *shown)


def load_words(count: int) -> str:
    text = ngettext("%(count)s open ticket", "%(count)s open tickets", count)
    return text % {"count": paging.short(count)}
