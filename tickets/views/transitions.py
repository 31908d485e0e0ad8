"""Solving and reopening a ticket from its page."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View
from django.views.generic.detail import SingleObjectMixin

from tickets.rules.rights import Right
from tickets.rules.workflow import REOPEN_PERIOD
from tickets.views.tickets import LockedTicketMixin


class TransitionView(LockedTicketMixin, SingleObjectMixin, View):
    """Changes the phase and redirects to the ticket. A repetition changes nothing."""

    http_method_names = ["post", "options"]

    def post(self, request, pk):
        ticket = self.get_object()
        self.move(ticket)
        return redirect(self.page_url())

    def page_url(self) -> str:
        return reverse("tickets:detail", args=[self.kwargs["pk"]])


class TicketCloseView(TransitionView):
    def move(self, ticket):
        if ticket.is_done:
            messages.info(self.request, _("This ticket is already solved."))
            return
        if not ticket.may_be_closed_by(self.request.user):
            raise PermissionDenied(_("Only the requester and staff can mark this ticket as solved."))
        ticket.close()
        words = _("Ticket marked as solved. You can reopen it within %(days)d days.")
        messages.success(self.request, words % {"days": REOPEN_PERIOD.days})


class TicketReopenView(TransitionView):
    def move(self, ticket):
        if not ticket.is_done:
            messages.info(self.request, _("This ticket is already open."))
            return
        if ticket.is_merged:
            raise PermissionDenied(_("This ticket was merged into another one. Reply there."))
        user = self.request.user
        if not ticket.may_ever(Right.REOPEN, user):
            raise PermissionDenied(_("Only the requester and staff can reopen this ticket."))
        if not ticket.may_be_reopened_by(user):
            words = _(
                "This ticket was solved more than %(days)d days ago. "
                "Submit a new ticket and mention its number."
            )
            raise PermissionDenied(words % {"days": REOPEN_PERIOD.days})
        ticket.reopen()
        messages.success(self.request, _("Ticket reopened. We'll take another look."))
