"""Closing and reopening a ticket from its page."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View
from django.views.generic.detail import SingleObjectMixin

from tickets.views.tickets import LockedTicketMixin


class TransitionView(LockedTicketMixin, SingleObjectMixin, View):
    """Moves a ticket and shows it again. Sent twice, the second time changes nothing."""

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
            messages.info(self.request, _("This ticket is closed already."))
            return
        if not ticket.may_be_closed_by(self.request.user):
            raise PermissionDenied(_("Only the requester and staff can close this ticket."))
        ticket.close()
        messages.success(self.request, _("The ticket is closed. You can reopen it within 14 days."))


class TicketReopenView(TransitionView):
    def move(self, ticket):
        if not ticket.is_done:
            messages.info(self.request, _("This ticket is open already."))
            return
        if ticket.is_merged:
            raise PermissionDenied(_("This ticket was merged into another one. Please answer there."))
        user = self.request.user
        if not (user.is_staff or ticket.requester_id == user.pk):
            raise PermissionDenied(_("Only the requester and staff can reopen this ticket."))
        if not ticket.may_be_reopened_by(user):
            raise PermissionDenied(
                _("This ticket was closed more than 14 days ago. Please file a new one and name its number.")
            )
        ticket.reopen()
        messages.success(self.request, _("The ticket is open again. We take another look."))
