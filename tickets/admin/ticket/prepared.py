"""Saved replies and macros on a ticket's page, which fetches them when somebody opens their list.

Without JavaScript a button posts the typed reply, and the page is rendered again with the list (`is_asked`).
"""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.validators import number_or_none
from tickets.actions import claiming, macros, saved_replies
from tickets.admin.ticket import joined
from tickets.admin.ticket.neighbours import FILTERS, neighbours, page_url, queue_query, queue_url
from tickets.admin.ticket.parts import Part
from tickets.admin.ticket.taking import seen_in
from tickets.forms.conversation import ReplyForm
from tickets.models import Comment, Draft, Macro, SavedReply, Ticket
from tickets.models.owned import OwnedQuerySet
from tickets.rules.refusals import reason_of

REPLIES_SHOWN = 12
MACROS_SHOWN = 5  # the others are folded


class PreparedPart(Part):
    def page_as_typed(self, request: HttpRequest, ticket: Ticket, body: str):
        """Renders the page with the posted reply, whose text is `body`, and the details that came with it."""
        forms = {"reply_form": _typed_reply(request, ticket, body)}
        if joined.are_sent(request):
            forms["details_form"] = joined.details_sent(self.model_admin, request, ticket)
        return self.page_with(request, ticket.pk, **forms)


class SavedReplies(PreparedPart):
    def urls(self):
        return [self.path("saved-replies", self.saved_replies_view, "saved_replies")]

    def context(self, request, page):
        if not is_asked(request, "saved_replies"):
            return {}
        return {"saved_replies": list(SavedReply.objects.visible_to(request.user).values("pk", "title"))}

    def saved_replies_view(self, request, pk):
        """GET: lists saved replies that match ?q=, filled in for the ticket.

        POST, without JavaScript: renders the page with all of them, and with the selected one after the typed
        text. Neither saves anything.
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
        context = {
            "replies": found[:REPLIES_SHOWN],
            "are_more": len(found) > REPLIES_SHOWN,
            "is_search": bool(request.GET.get("q", "").strip()),
        }
        return render(request, "admin/tickets/ticket/includes/saved_replies_found.html", context)

    def _page_with_saved_reply(self, request: HttpRequest, ticket: Ticket):
        body = request.POST.get("body", "")
        reply = _chosen(SavedReply.objects, request, "saved_reply")
        if reply is not None:
            text = saved_replies.fill(reply.body, ticket=ticket, agent=request.user)
            body = f"{body.rstrip()}\n\n{text}" if body.strip() else text
        elif "saved_reply" in request.POST:
            messages.warning(request, _("Choose a saved reply first."))
        return self.page_as_typed(request, ticket, body)


class Macros(PreparedPart):
    def urls(self):
        return [self.path("macros", self.macros_view, "macros"), self.path("macro", self.macro_view, "macro")]

    def context(self, request, page):
        context = {"macro_key": Comment._meta.get_field("key").get_default()}
        if is_asked(request, "macros"):
            context |= self._list(request, page.ticket)
        return context

    def macros_view(self, request, pk):
        """GET: lists the macros, filled in for the ticket.

        POST, without JavaScript: renders the page with them. Neither saves anything.
        """
        ticket = self.ticket_or_404(request, pk)
        if request.method == "POST":
            return self.page_as_typed(request, ticket, request.POST.get("body", ""))
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "POST"])
        context = {"ticket": ticket, "acts_query": queue_query(request), **self._list(request, ticket)}
        return render(request, "admin/tickets/ticket/includes/macros_found.html", context)

    @staticmethod
    def _list(request: HttpRequest, ticket: Ticket) -> dict:
        """Returns the context of includes/macros_found.html."""
        usable = Macro.objects.visible_to(request.user).select_related("status", "category")
        buttons = [
            {
                "macro": macro,
                "summary": macros.summary(macro),
                "body": saved_replies.fill(macro.body, ticket=ticket, agent=request.user),
            }
            for macro in usable
        ]
        return {
            "shows_macros": True,
            "macros": buttons[:MACROS_SHOWN],
            "more_macros": buttons[MACROS_SHOWN:],
        }

    @method_decorator(require_POST)
    def macro_view(self, request, pk):
        """Applies a macro in one click: reply, set fields, open the next ticket of the queue."""
        ticket = self.ticket_or_404(request, pk)
        macro = _chosen(Macro.objects.select_related("status", "category"), request, "macro")
        if macro is None:
            raise Http404
        _keep_typed(request, ticket)
        joined.keep_details(request, ticket)
        # Computed first, because the act may move the ticket within the queue or out of it.
        after = neighbours(self.model_admin, request, ticket).next
        # Ticked by default: a page without the box sends nothing.
        claims = bool(request.POST.get("claims", "on"))
        choice = {"seen": seen_in(request), "claims": claims}
        try:
            is_new = macros.apply(macro, ticket, agent=request.user, key=_key(request, macro), **choice)
        except ValidationError as error:
            words = {"macro": macro, "reason": reason_of(error)}
            text = _("“%(macro)s” was not applied. %(reason)s") % words
            messages.warning(request, text)
            return HttpResponseRedirect(page_url(request, pk))
        messages.success(request, self._done(request, macro, ticket, is_new=is_new))
        if macro.body and claims:
            self._warn_of_other_owner(request, ticket)
        if after:
            return HttpResponseRedirect(page_url(request, after))
        messages.info(request, _("That was the last ticket in this list."))
        return HttpResponseRedirect(queue_url(request.GET.get(FILTERS, "")))

    def _warn_of_other_owner(self, request, ticket: Ticket) -> None:
        """Says who has the ticket if it was not assigned because another person was faster.

        The reply is sent.
        """
        ticket = Ticket.objects.select_related("assignee").get(pk=ticket.pk)
        if ticket.assignee_id not in (None, request.user.pk, seen_in(request)):
            text = f"#{ticket.pk}: {claiming.who_has_it(ticket)}"
            messages.warning(request, text)

    def _done(self, request, macro: Macro, ticket: Ticket, *, is_new: bool) -> str:
        text = (
            _("Applied “{macro}” to {ticket}.") if is_new else _("“{macro}” was already applied to {ticket}.")
        )
        link = format_html('<a href="{}">#{}</a>', page_url(request, ticket.pk), ticket.pk)
        return format_html(text, macro=macro, ticket=link)


def is_asked(request: HttpRequest, name: str) -> bool:
    """Whether somebody without JavaScript pressed the button that shows the list `name` on the page."""
    match = request.resolver_match
    return match is not None and match.url_name == f"tickets_ticket_{name}"


def _typed_reply(request: HttpRequest, ticket: Ticket, body: str) -> ReplyForm:
    """Returns the form of a reply as it was posted, with `body` and without validation."""
    names = ("status", "waiting_for", "wakes_on", "key", "restored")
    typed = {"body": body, **{name: request.POST[name] for name in names if name in request.POST}}
    if "claims" in request.POST:
        typed["claims"] = bool(request.POST["claims"])
    return ReplyForm(ticket=ticket, author=request.user, initial=typed)


def _chosen(rows: OwnedQuerySet, request: HttpRequest, name: str):
    """Returns the row that was sent as `name`; None if the person may not use it, or it does not exist."""
    return rows.visible_to(request.user).filter(pk=number_or_none(request.POST.get(name, ""))).first()


def _keep_typed(request: HttpRequest, ticket: Ticket) -> None:
    """Saves a half-written reply that was sent with the click as a draft."""
    body = request.POST.get("body")
    if body is not None and len(body) <= Draft.MAX_LENGTH and "\0" not in body:
        Draft.objects.keep(person=request.user, ticket=ticket, kind=Draft.Kind.REPLY, body=body)


def _key(request: HttpRequest, macro: Macro) -> uuid.UUID:
    """Derives a key from the page's key and the macro: a double click applies it once, another
    macro its own.
    """
    try:
        return uuid.uuid5(uuid.UUID(request.POST.get("macro_key", "")), str(macro.pk))
    except ValueError:
        return uuid.uuid4()
