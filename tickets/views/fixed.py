"""The requester answers the mail that says done: fixed, or not. By a signed link, without a login."""

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.generic import FormView, View

from accounts.actor import acting_as
from tickets.forms.fixed import NotFixedForm
from tickets.models import Ticket
from tickets.notifications import tokens


@method_decorator(login_not_required, name="dispatch")
class AnswerMixin:
    """A ticket that is done and may be reopened, seen by its requester. Else a page says what is."""

    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request, *args, token, **kwargs):
        with transaction.atomic():
            claim = tokens.read_answer(token)
            tickets = Ticket.objects.select_for_update() if request.method == "POST" else Ticket.objects
            self.ticket = claim and tickets.filter(pk=claim.ticket, requester=claim.person).first()
            if self.ticket is None or not self.is_valid():
                return render(request, "tickets/by_link/not_valid.html", status=404)
            if not self.ticket.is_done:
                return self.page("open")
            return super().dispatch(request, *args, **kwargs)

    def is_valid(self) -> bool:
        ticket = self.ticket
        return ticket.requester.is_active and not ticket.is_merged and ticket.takes_replies

    def page(self, name: str, **context):
        return render(self.request, f"tickets/by_link/{name}.html", {"ticket": self.ticket, **context})


class FixedView(AnswerMixin, View):
    def get(self, request):
        return self.page("confirmed" if self.ticket.confirmed_at else "fixed")

    def post(self, request):
        with acting_as(self.ticket.requester, source=Ticket.Source.WEB):
            self.ticket.confirm()
        return self.page("confirmed")


class NotFixedView(AnswerMixin, FormView):
    form_class = NotFixedForm
    template_name = "tickets/by_link/not_fixed.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs, ticket=self.ticket)

    def form_valid(self, form):
        form.save(self.ticket)
        return self.page("open")
