"""Actions on many tickets: a value where one is needed, a preview, then each changes like in a single act."""

import hashlib
from dataclasses import dataclass, replace

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.validators import is_number
from tickets.admin.deeds import DEEDS, Deed
from tickets.admin.neighbours import queue_url
from tickets.models import NotStaff, Ticket
from tickets.notifications import rules

MOST = 500  # tickets at once: all in one transaction, in one request of at most 30 seconds
LISTED = 50
REFUSALS_TOLD = 10


@dataclass(frozen=True)
class Line:
    """One ticket of the preview."""

    ticket: Ticket
    old: str
    new: str
    refusal: str
    stays: bool
    people: list

    @property
    def changes(self) -> bool:
        return not (self.refusal or self.stays)

    @property
    def says(self) -> str:
        people = [person.pk for person in self.people]
        return repr((self.ticket.pk, self.old, self.new, self.refusal, self.stays, people))


def fingerprint(lines: list[Line]) -> str:
    """Tells whether a preview that was shown still says what would happen."""
    return hashlib.sha256("\n".join(line.says for line in lines).encode()).hexdigest()


def preview(deed: Deed, value, tickets: list[Ticket], *, actor) -> list[Line]:
    """What would become of each ticket and who would be mailed, in a constant number of queries."""
    facts = [deed.facts(ticket, value) for ticket in tickets]
    told = rules.recipients_of_many(deed.verb, facts, actor=actor)
    lines = []
    for ticket, people in zip(tickets, told, strict=True):
        old, new = deed.words(ticket, value)
        refusal, stays = deed.refusal(ticket, value), deed.stays(ticket, value)
        lines.append(Line(ticket, old, new, refusal, stays, [] if refusal or stays else list(people)))
    return lines


def change_each(request, deed: Deed, value, seen: dict[int, int | None]) -> None:
    """Changes one ticket after the other in one transaction. One that refuses is named, the others go on.

    `seen` are the tickets by number, each with the assignee whom the preview showed.
    """
    changed, refused = 0, []
    with transaction.atomic():
        for ticket in Ticket.objects.filter(pk__in=seen).order_by("pk").select_for_update():
            number = ticket.pk
            if deed.stays(ticket, value):
                continue
            try:
                deed.validate_owner(ticket, value, seen=seen[number])
                deed.change(ticket, value)
                changed += 1
            except ValidationError as error:
                refused.append(f"#{number}: {' '.join(error.messages)}")
            except NotStaff as error:
                refused.append(f"#{number}: {error}")
    if changed:
        if deed.field:
            text = ngettext("%(count)d ticket is changed.", "%(count)d tickets are changed.", changed)
        else:
            text = ngettext("%(count)d ticket is deleted.", "%(count)d tickets are deleted.", changed)
        messages.success(request, text % {"count": changed})
    elif not refused:
        messages.info(request, _("Nothing had to be changed."))
    for reason in refused[:REFUSALS_TOLD]:
        messages.warning(request, reason)
    if more := len(refused[REFUSALS_TOLD:]):
        text = ngettext("%(count)d more is not changed.", "%(count)d more are not changed.", more)
        messages.warning(request, text % {"count": more})


@dataclass(frozen=True)
class Choice:
    """What was chosen in the queue: a row of DEEDS, tickets by number, and the filters to come back to.

    `seen` are the assignees whom a preview showed, by ticket (0: nobody); empty before there was one.
    """

    name: str
    numbers: list[int]
    query: str
    seen: dict[int, int]

    @property
    def deed(self) -> Deed:
        return DEEDS[self.name]


class ActionsMixin(admin.ModelAdmin):
    def get_urls(self):
        view = self.admin_site.admin_view(self.many_view)
        return [path("many/", view, name="tickets_ticket_many"), *super().get_urls()]

    def begin(self, request: HttpRequest, name: str, tickets):
        """The first page after the queue: the question, or where there is none, the preview."""
        numbers = list(tickets.values_list("pk", flat=True)[: MOST + 1])
        if len(numbers) > MOST:
            text = _("Please choose at most %(count)d tickets at once.") % {"count": MOST}
            self.message_user(request, text, messages.WARNING)
            return None
        choice = Choice(name, numbers, request.GET.urlencode(), {})
        if choice.deed.form_class:
            return self._ask_value(request, choice, choice.deed.form_class())
        return self._show_preview(request, choice, None)

    @method_decorator(require_POST)
    def many_view(self, request):
        choice = self._choice(request)
        deed = choice.deed
        form = deed.form_class(request.POST) if deed.form_class else None
        if form and not form.is_valid():
            return self._ask_value(request, choice, form)
        if "apply" not in request.POST:
            return self._show_preview(request, choice, form)
        value = deed.value(form, request.user)
        lines = self._lines(request, choice, value)
        if request.POST.get("shown") != fingerprint(lines):
            text = _("Something has changed meanwhile. This is what would happen now.")
            self.message_user(request, text, messages.WARNING)
            return self._show_preview(request, replace(choice, seen={}), form)
        change_each(request, deed, value, {line.ticket.pk: line.ticket.assignee_id for line in lines})
        return HttpResponseRedirect(queue_url(choice.query))

    def _choice(self, request) -> Choice:
        """Raises BadRequest, or PermissionDenied."""
        name, sent = request.POST.get("action", ""), request.POST.get("numbers", "").split(",")
        if name not in DEEDS or not all(map(is_number, sent)) or len(sent) > MOST:
            raise BadRequest
        if not getattr(self, f"has_{DEEDS[name].permission}_permission")(request):
            raise PermissionDenied
        numbers, seen = [int(number) for number in sent], request.POST.get("seen", "").split(",")
        is_complete = len(seen) == len(numbers) and all(map(is_number, seen))
        shown = dict(zip(numbers, map(int, seen), strict=True)) if is_complete else {}
        return Choice(name, numbers, request.POST.get("query", ""), shown)

    def _lines(self, request, choice: Choice, value) -> list[Line]:
        """Of an assignment from the assignees who were seen: who has got a ticket since then keeps it."""
        merged = Exists(Ticket.objects.filter(merged_into=OuterRef("pk")).order_by())
        found = Ticket.objects.with_people().annotate(has_merged=merged).in_bulk(choice.numbers)
        tickets = [found[number] for number in dict.fromkeys(choice.numbers) if number in found]
        if choice.deed.field == "assignee" and choice.seen:
            people = get_user_model().objects.in_bulk(set(choice.seen.values()))
            for ticket in tickets:
                ticket.assignee = people.get(choice.seen[ticket.pk])
        return preview(choice.deed, value, tickets, actor=request.user)

    def _ask_value(self, request, choice: Choice, form):
        return self._many_page(request, choice, {"form": form, "count": len(choice.numbers)})

    def _show_preview(self, request, choice: Choice, form):
        value = choice.deed.value(form, request.user)
        lines = self._lines(request, choice, value)
        people = {person for line in lines for person in line.people}
        assignees = {line.ticket.pk: line.ticket.assignee_id for line in lines}
        context = {
            "preview": lines[:LISTED],
            "shown": fingerprint(lines),
            "seen": ",".join(str(assignees.get(number) or 0) for number in choice.numbers),
            "more": len(lines[LISTED:]),
            "changing": sum(line.changes for line in lines),
            "mails": sum(len(line.people) for line in lines),
            "people": sorted(map(str, people)),
            "value": getattr(value, "pk", value) or "",
            "asked": form is not None,
            "is_deletion": choice.deed.permission == "delete",
        }
        return self._many_page(request, choice, context)

    def _many_page(self, request, choice: Choice, context: dict):
        context |= {
            **self.admin_site.each_context(request),
            "title": str(choice.deed.title).removesuffix(" …"),
            "opts": self.opts,
            "action": choice.name,
            "numbers": ",".join(map(str, choice.numbers)),
            "query": choice.query,
            "queue_url": queue_url(choice.query),
        }
        return TemplateResponse(request, "admin/tickets/ticket/change_many.html", context)


def _action(name: str):
    @admin.action(description=DEEDS[name].title, permissions=[DEEDS[name].permission])
    def act(modeladmin, request, tickets):
        return modeladmin.begin(request, name, tickets)

    act.__name__ = name
    return act


ACTIONS = tuple(map(_action, DEEDS))
