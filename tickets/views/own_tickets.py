"""A new ticket that resembles an open one of the same person: the question, and the text as a draft there."""

import uuid
from datetime import datetime

from django.http import HttpRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.generic import View

from tickets.actions import drafts
from tickets.models import Draft, Ticket
from tickets.search.own_tickets import similar_own_tickets
from tickets.search.similar import LONGEST_READ

LONGEST_SUBJECT = Ticket._meta.get_field("subject").max_length


def own_tickets(user, *, subject: str, description: str) -> list[dict]:
    """Returns the context of tickets/includes/own_tickets.html."""
    text = {"subject": subject[:LONGEST_SUBJECT], "description": description[:LONGEST_READ]}
    rows = similar_own_tickets(user, **text) if any(text.values()) else []
    return [{"number": row.pk, "subject": row.subject, "asked": _asked(row.created_at)} for row in rows]


def _asked(moment: datetime) -> str:
    day, today = timezone.localdate(moment), timezone.localdate()
    days = (today - day).days
    if days <= 0:
        return _("You asked this today:")
    if days == 1:
        return _("You asked this yesterday:")
    words = {"day": date_format(day, "l" if days < 7 else "j M Y")}
    return _("You asked this on %(day)s:") % words


class OwnTicketsView(View):
    """A fragment for static/js/own_tickets.js. A POST, so that what is typed is in no access log."""

    http_method_names = ["post", "options"]

    def post(self, request):
        text = {name: request.POST.get(name, "") for name in ("subject", "description")}
        return render(
            request, "tickets/includes/own_tickets.html", {"own_tickets": own_tickets(request.user, **text)}
        )


class AddToTicketView(View):
    """Moves what was typed into the form for a new ticket to a draft of a reply to an open ticket."""

    http_method_names = ["post", "options"]

    def post(self, request, pk):
        own = Ticket.objects.visible_to(request.user).filter(requester=request.user, merged_into=None)
        ticket = get_object_or_404(own, pk=pk)
        drafts.keep(_reply(request), person=request.user, ticket=ticket, kind=Draft.Kind.REPLY)
        sent = drafts.Typed.sent(Draft.Kind.TICKET, request.POST)
        drafts.forget_sent(sent, person=request.user, ticket=None, kind=Draft.Kind.TICKET)
        return redirect(f"{ticket.get_absolute_url()}#reply")


def _reply(request: HttpRequest) -> drafts.Typed:
    texts = (request.POST.get(name, "").strip() for name in ("subject", "description"))
    body = "\n\n".join(filter(None, texts)).replace("\0", "").replace("\r\n", "\n")
    count = len(request.FILES.getlist("attachments"))
    fields = {"files": str(count)} if count else {}
    return drafts.Typed(body[: Draft.MAX_LENGTH], fields, uuid.uuid4(), None)
