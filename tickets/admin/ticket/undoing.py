"""The button "Undo" of a change of details: on the ticket's page, in the queue, and in messages."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tickets.actions import undoing
from tickets.admin.ticket.neighbours import FILTERS, page_url, queue_url
from tickets.admin.ticket.parts import Part
from tickets.models import Ticket

BY_SCRIPT = "X-Undo"  # the header that static/js/undo.js sends


def with_undo(request: HttpRequest, ticket: Ticket, text: str, *, to_queue: bool = False) -> SafeString | str:
    """Adds the button to a message, if the change of `ticket` can be undone. `to_queue`: where it leads."""
    query = request.GET.copy()
    if to_queue:
        query["to_queue"] = "1"
    return undo_message(text, ticket.undo, query)


def undo_message(text: str, undo: str, query: QueryDict) -> SafeString | str:
    if not undo:
        return text
    context = {"text": text, "undo": undo, "query": query.urlencode()}
    return render_to_string("admin/tickets/ticket/includes/undo_message.html", context)


class Undoing(Part):
    def urls(self):
        view = self.model_admin.admin_site.admin_view(self.undo_view)
        return [path("undo/", view, name="tickets_ticket_undo")]

    @method_decorator(require_POST)
    def undo_view(self, request):
        changes = undoing.read(request.POST.get("undo", ""), person=request.user)
        if not changes:
            raise Http404
        if len(changes) > 1:
            return self._undo_many(request, changes)
        with transaction.atomic():
            ticket = self.ticket_or_404(request, changes[0].ticket_id, lock=True)
            try:
                undoing.undo(changes[0], ticket, person=request.user)
            except undoing.CannotUndo as error:
                return self._answer(request, ticket, str(error), is_refused=True)
        return self._answer(request, ticket, _("#%(number)d: change undone.") % {"number": ticket.pk})

    def _undo_many(self, request, changes: list[undoing.Undo]) -> HttpResponse:
        """Undoes each change on its own, and names those that stay with the reason."""
        problems = [problem for change in changes if (problem := self._problem_of(request, change))]
        count = len(changes) - len(problems)
        done = ngettext("%(count)d change undone.", "%(count)d changes undone.", count) % {"count": count}
        text = " ".join([done, *problems])
        if BY_SCRIPT in request.headers:
            return JsonResponse({"said": text, "fields": ""}, status=200 if count else 409)
        (messages.warning if problems else messages.success)(request, text)
        return HttpResponseRedirect(queue_url(request.GET.get(FILTERS, "")))

    def _problem_of(self, request, change: undoing.Undo) -> str:
        """Undoes the change. Returns why it stays, or an empty text."""
        try:
            with transaction.atomic():
                ticket = self.ticket_or_404(request, change.ticket_id, lock=True)
                undoing.undo(change, ticket, person=request.user)
        except Http404:
            return f"#{change.ticket_id}: {_('This ticket no longer exists.')}"
        except undoing.CannotUndo as error:
            return f"#{change.ticket_id}: {error}"
        return ""

    def _answer(self, request, ticket: Ticket, text: str, *, is_refused: bool = False) -> HttpResponse:
        if BY_SCRIPT in request.headers:
            return self._answer_to_script(request, ticket, text, is_refused=is_refused)
        (messages.warning if is_refused else messages.success)(request, text)
        if "to_queue" in request.GET:
            return HttpResponseRedirect(queue_url(request.GET.get(FILTERS, "")))
        return HttpResponseRedirect(page_url(request, ticket.pk))

    def _answer_to_script(self, request, ticket: Ticket, text: str, *, is_refused: bool) -> JsonResponse:
        """The words, and for the ticket's page the details as they are stored."""
        fields = ""
        if request.headers[BY_SCRIPT] == "details":
            form = self.model_admin.form_of_stored(request, ticket.pk)
            fields = render_to_string("admin/tickets/ticket/includes/facts_fields.html", {"form": form})
        return JsonResponse({"said": text, "fields": fields}, status=409 if is_refused else 200)
