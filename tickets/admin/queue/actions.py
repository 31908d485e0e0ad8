"""Bulk actions: one form asks for the value, shows what changes and who is emailed, and applies it.

The script of the queue shows the form in a panel and applies it in steps (static/js/bulk_panel.js); without
a script it is a page.
"""

from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.validators import is_number
from tickets.admin.queue.bulk_changes import BULK_CHANGES, BulkChange, ValueForm
from tickets.admin.queue.bulk_preview import NOT_SEEN, PreviewLine, Seen, digest, preview
from tickets.admin.queue.bulk_result import BulkResult, apply_to_each
from tickets.admin.ticket.neighbours import FILTERS, queue_url
from tickets.admin.ticket.undoing import undo_message
from tickets.models import Ticket

MOST = 200  # tickets at once
BY_SCRIPT = "X-Bulk-Change"  # the header that the script sends; it gets figures and no page


@dataclass(frozen=True)
class Choice:
    """The selected BULK_CHANGES row and tickets, and the query string of the queue to return to.

    `seen` holds what the preview showed of each ticket; empty before the preview.
    """

    name: str
    numbers: list[int]
    query: str
    seen: dict[int, Seen]

    @property
    def change(self) -> BulkChange:
        return BULK_CHANGES[self.name]

    @property
    def title(self) -> str:
        return str(self.change.title).removesuffix(" …")


class ActionsMixin(admin.ModelAdmin):
    def get_urls(self):
        view = self.admin_site.admin_view(self.many_view)
        return [path("many/", view, name="tickets_ticket_many"), *super().get_urls()]

    def begin(self, request: HttpRequest, name: str, tickets):
        """Renders the form; with a preview, if there is a value to begin with."""
        numbers = list(tickets.values_list("pk", flat=True)[: MOST + 1])
        if len(numbers) > MOST:
            text = _("Select at most %(count)d tickets.") % {"count": MOST}
            self.message_user(request, text, messages.WARNING)
            return None
        choice = Choice(name, numbers, request.GET.urlencode(), {})
        return self._many_page(request, choice, choice.change.first_form(request.user))

    @method_decorator(require_POST)
    def many_view(self, request):
        choice = self._choice(request)
        form = choice.change.form(request.POST)
        if "apply" not in request.POST or (form and not form.is_valid()):
            return self._many_page(request, choice, form)
        value = choice.change.value(form, request.user)
        if not choice.seen or request.POST.get("shown") != digest(str(value)):
            text = _("Check what changes, then apply it.")
            return self._many_page(request, choice, form, notice=text)
        lines = self._lines(request, choice, value)
        result = apply_to_each(choice.change, value, choice.seen, lines=lines, person=request.user)
        return self._result(request, choice, result)

    def _choice(self, request) -> Choice:
        """Raises BadRequest or PermissionDenied."""
        name, sent = request.POST.get("action", ""), request.POST.get("numbers", "").split(",")
        if name not in BULK_CHANGES or not all(map(is_number, sent)) or len(sent) > MOST:
            raise BadRequest
        if not getattr(self, f"has_{BULK_CHANGES[name].permission}_permission")(request):
            raise PermissionDenied
        numbers, seen = [int(number) for number in sent], request.POST.get("seen", "").split(",")
        is_complete = len(seen) == len(numbers)
        shown = dict(zip(numbers, map(Seen.parse, seen), strict=True)) if is_complete else {}
        return Choice(name, numbers, request.POST.get("query", ""), shown)

    def _lines(self, request, choice: Choice, value) -> list[PreviewLine]:
        found = Ticket.objects.with_people().with_has_merged().in_bulk(choice.numbers)
        tickets = [found[number] for number in dict.fromkeys(choice.numbers) if number in found]
        return preview(choice.change, value, tickets, actor=request.user)

    def _result(self, request, choice: Choice, result: BulkResult):
        if BY_SCRIPT in request.headers:
            return JsonResponse(result.as_json())
        query = QueryDict(mutable=True)
        query.update({"to_queue": "1", FILTERS: choice.query})
        text = undo_message(str(result), " ".join(result.undo), query)
        if result.refused:
            return self._page(request, choice, {"result": result, "said": text})
        messages.success(request, text)
        return HttpResponseRedirect(queue_url(choice.query))

    def _many_page(self, request, choice: Choice, form: ValueForm | None, *, notice: str = ""):
        context = {"form": form, "notice": notice}
        if form is None or form.is_valid():
            context |= self._preview(request, choice, choice.change.value(form, request.user))
        return self._page(request, choice, context)

    def _preview(self, request, choice: Choice, value) -> dict:
        lines = self._lines(request, choice, value)
        people = {person for line in lines for person in line.people}
        seen = {line.ticket.pk: line.seen for line in lines}
        return {
            "preview": lines,
            "shown": digest(str(value)),
            "seen": ",".join(str(seen.get(number, NOT_SEEN)) for number in choice.numbers),
            "changing": sum(line.changes for line in lines),
            "mails": sum(len(line.people) for line in lines),
            "people": sorted(map(str, people)),
        }

    def _page(self, request, choice: Choice, context: dict):
        context = {
            **self.admin_site.each_context(request),
            "title": choice.title,
            "opts": self.opts,
            "action": choice.name,
            "numbers": ",".join(map(str, choice.numbers)),
            "count": len(choice.numbers),
            "query": choice.query,
            "queue_url": queue_url(choice.query),
            "is_deletion": choice.change.permission == "delete",
            **context,
        }
        return TemplateResponse(request, "admin/tickets/ticket/change_many.html", context)


def _action(name: str):
    @admin.action(description=BULK_CHANGES[name].title, permissions=[BULK_CHANGES[name].permission])
    def act(modeladmin, request, tickets):
        return modeladmin.begin(request, name, tickets)

    act.__name__ = name
    return act


ACTIONS = tuple(map(_action, BULK_CHANGES))
