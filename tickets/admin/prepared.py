"""What is prepared for a ticket's page: saved replies to write with, macros that act by one click."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.validators import is_number
from tickets import claiming, macros, saved_replies
from tickets.admin.neighbours import FILTERS, neighbours, queue_url
from tickets.admin.page import TicketPage, seen_in
from tickets.forms.conversation import ReplyForm
from tickets.models import Comment, Draft, Macro, SavedReply, Ticket
from tickets.models.owned import OwnedQuerySet

REPLIES_SHOWN = 12
MACROS_SHOWN = 5  # the others fold


class PreparedMixin(TicketPage):
    def get_urls(self):
        return [
            self.page_path("saved-replies", self.saved_replies_view, "saved_replies"),
            self.page_path("macro", self.macro_view, "macro"),
            *super().get_urls(),
        ]

    def page_context(self, request, ticket):
        usable = Macro.objects.visible_to(request.user).select_related("status", "category")
        buttons = [
            {
                "macro": macro,
                "deeds": macros.deeds(macro),
                "body": saved_replies.fill(macro.body, ticket=ticket, agent=request.user),
            }
            for macro in usable
        ]
        return {
            **super().page_context(request, ticket),
            "saved_replies": SavedReply.objects.visible_to(request.user).values("pk", "title"),
            "macros": buttons[:MACROS_SHOWN],
            "more_macros": buttons[MACROS_SHOWN:],
            "macro_key": Comment._meta.get_field("key").get_default(),
        }

    # Saved replies
    def saved_replies_view(self, request, pk):
        """GET: those that match ?q=, filled for the ticket. POST, without JavaScript: the page, with the
        chosen one behind what is typed. Neither writes anything.
        """
        if request.method == "POST":
            return self._page_with_saved_reply(request, self.ticket_or_404(request, pk))
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "POST"])
        ticket = self.ticket_or_404(request, pk)
        found = saved_replies.matching(request.GET.get("q", ""), user=request.user)
        found = list(found[: REPLIES_SHOWN + 1])
        for reply in found:
            reply.text = saved_replies.fill(reply.body, ticket=ticket, agent=request.user)
        context = {"replies": found[:REPLIES_SHOWN], "are_more": len(found) > REPLIES_SHOWN}
        return render(request, "admin/tickets/ticket/includes/saved_replies_found.html", context)

    def _page_with_saved_reply(self, request: HttpRequest, ticket: Ticket):
        body = request.POST.get("body", "")
        reply = _chosen(SavedReply.objects, request, "saved_reply")
        if reply is None:
            self.message_user(request, _("Please choose a saved reply first."), messages.WARNING)
        else:
            text = saved_replies.fill(reply.body, ticket=ticket, agent=request.user)
            body = f"{body.rstrip()}\n\n{text}" if body.strip() else text
        names = ("status", "key", "restored")
        typed = {"body": body, **{name: request.POST[name] for name in names if name in request.POST}}
        if "claims" in request.POST:
            typed["claims"] = bool(request.POST["claims"])
        form = ReplyForm(ticket=ticket, author=request.user, initial=typed)
        return self.page_with(request, ticket.pk, reply_form=form)

    # Macros
    @method_decorator(require_POST)
    def macro_view(self, request, pk):
        """One click: reply, set fields, go on to the next ticket of the queue."""
        ticket = self.ticket_or_404(request, pk)
        macro = _chosen(Macro.objects.select_related("status", "category"), request, "macro")
        if macro is None:
            raise Http404
        _keep_typed(request, ticket)
        # Asked before the act, which may move the ticket to the top of the queue or out of it.
        after = neighbours(self, request, ticket).next
        # Ticked by default: a page that does not offer it sends nothing of it.
        claims = bool(request.POST.get("claims", "on"))
        choice = {"seen": seen_in(request), "claims": claims}
        try:
            is_new = macros.apply(macro, ticket, agent=request.user, key=_key(request, macro), **choice)
        except ValidationError as error:
            words = {"macro": macro, "reason": " ".join(error.messages)}
            text = _("Nothing is changed by “%(macro)s”. %(reason)s") % words
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(self.page_url(request, pk))
        self.message_user(request, self._done(request, macro, ticket, is_new=is_new), messages.SUCCESS)
        if macro.body and claims:
            self._tell_who_was_faster(request, ticket)
        if after:
            return HttpResponseRedirect(self.page_url(request, after))
        self.message_user(request, _("That was the last ticket of this list."), messages.INFO)
        return HttpResponseRedirect(queue_url(request.GET.get(FILTERS, "")))

    def _tell_who_was_faster(self, request, ticket: Ticket) -> None:
        """The reply stands, but the ticket is not taken from somebody whom the page did not show."""
        ticket = Ticket.objects.select_related("assignee").get(pk=ticket.pk)
        if ticket.assignee_id not in (None, request.user.pk, seen_in(request)):
            text = f"#{ticket.pk}: {claiming.who_has_it(ticket)}"
            self.message_user(request, text, messages.WARNING)

    def _done(self, request, macro: Macro, ticket: Ticket, *, is_new: bool) -> str:
        text = _("“{macro}” is done on {ticket}.") if is_new else _("“{macro}” was done on {ticket} already.")
        link = format_html('<a href="{}">#{}</a>', self.page_url(request, ticket.pk), ticket.pk)
        return format_html(text, macro=macro, ticket=link)


def _chosen(rows: OwnedQuerySet, request: HttpRequest, name: str):
    """The row that was sent as `name`; None where the person may not use it, or there is none."""
    number = request.POST.get(name, "")
    return rows.visible_to(request.user).filter(pk=number).first() if is_number(number) else None


def _keep_typed(request: HttpRequest, ticket: Ticket) -> None:
    """A half-written reply is sent along with the click, and stays a draft."""
    body = request.POST.get("body")
    if body is not None and len(body) <= Draft.MAX_LENGTH and "\0" not in body:
        Draft.objects.keep(person=request.user, ticket=ticket, kind=Draft.Kind.REPLY, body=body)


def _key(request: HttpRequest, macro: Macro) -> uuid.UUID:
    """Made of the page's key and the macro: a double click says it once, another macro says its own."""
    try:
        return uuid.uuid5(uuid.UUID(request.POST.get("macro_key", "")), str(macro.pk))
    except ValueError:
        return uuid.uuid4()
