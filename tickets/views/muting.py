"""Mutes and unmutes a ticket: on its page, and by the link in each email (RFC 8058)."""

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from tickets.actions import conversation
from tickets.mail.writing import tokens
from tickets.models import Ticket
from tickets.views.conversation import TicketActMixin


def has_chosen(request, ticket: Ticket, person) -> bool:
    """Carries out the POST. Returns whether the person receives emails about the ticket now."""
    wants_mail = "again" in request.POST
    (conversation.unmute if wants_mail else conversation.mute)(ticket, person)
    return wants_mail


class MailView(TicketActMixin, View):
    def post(self, request, pk):
        ticket = self.get_object()
        if has_chosen(request, ticket, request.user):
            messages.success(request, _("Notifications unmuted."))
        else:
            messages.success(request, _("Notifications muted."))
        return redirect(self.page_url())


@method_decorator([login_not_required, csrf_exempt], name="dispatch")
class MuteByLinkView(View):
    """Email programs send the POST without a session, so its signature is the proof."""

    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request, *args, token, **kwargs):
        claim = tokens.read_mute(token)
        self.ticket = claim and Ticket.objects.filter(pk=claim.ticket).first()
        self.person = claim and get_user_model().objects.filter(pk=claim.person).first()
        if self.ticket is None or self.person is None:
            return render(request, "tickets/by_link/not_valid.html", status=404)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request):
        return self.page(is_muted=conversation.is_muted(self.ticket, self.person))

    def post(self, request):
        return self.page(is_muted=not has_chosen(request, self.ticket, self.person))

    def page(self, *, is_muted: bool):
        context = {"ticket": self.ticket, "is_muted": is_muted}
        return render(self.request, "tickets/by_link/mute.html", context)
