"""Assigning a ticket to oneself, from its page and from the queue."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.validators import number_or_none
from tickets.actions import claiming, undoing
from tickets.admin.ticket.neighbours import FILTERS, page_url, queue_url
from tickets.admin.ticket.parts import Part
from tickets.admin.ticket.undoing import with_undo
from tickets.models import NotStaff, Ticket


def seen_in(request: HttpRequest) -> int | None:
    """Returns the primary key of the assignee that the page showed; None: unassigned."""
    return number_or_none(request.POST.get("seen", ""))


def take_over(request: HttpRequest, ticket: Ticket, claimed: claiming.Claimed) -> SafeString:
    """Builds the queue's message about a ticket that another person has, with a button to assign it
    anyway.
    """
    context = {"ticket": ticket, "text": claimed.message, "query": request.GET.urlencode()}
    return render_to_string("admin/tickets/ticket/includes/take_over.html", context)


class Taking(Part):
    def urls(self):
        return [self.path("take", self.take_view, "take")]

    @method_decorator(require_POST)
    def take_view(self, request, pk):
        """Assigns the ticket to the person, unless another person than the page showed has it."""
        is_from_queue = "to_queue" in request.POST
        with transaction.atomic():
            ticket = self.ticket_or_404(request, pk, lock=True)
            try:
                with undoing.undoable(ticket, person=request.user):
                    claiming.take(ticket, request.user, seen=seen_in(request))
            except claiming.Claimed as claimed:
                text = take_over(request, ticket, claimed) if is_from_queue else claimed.message
                messages.warning(request, text)
            except NotStaff as error:
                messages.warning(request, str(error))
            else:
                text = _("#%(number)d is now assigned to you.") % {"number": pk}
                messages.success(request, with_undo(request, ticket, text, to_queue=is_from_queue))
        if is_from_queue:
            return HttpResponseRedirect(queue_url(request.GET.get(FILTERS, "")))
        if "to_start" in request.POST:
            return redirect("admin:index")
        return HttpResponseRedirect(page_url(request, pk))
