"""The requester's answers once a ticket is solved: whether it helped, and what could be better.

By a signed link, without login: from the email, or from the ticket's page.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from accounts.actor import acting_as
from tickets.forms.fixed import FeedbackForm, NotFixedForm
from tickets.mail.writing import tokens
from tickets.models import Ticket


@method_decorator(login_not_required, name="dispatch")
class AnswerMixin:
    """A done ticket that may be reopened, opened by its requester. Otherwise a page explains its state."""

    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request, *args, token, **kwargs):
        with transaction.atomic():
            claim = tokens.read_answer(token)
            tickets = Ticket.objects.select_for_update() if request.method == "POST" else Ticket.objects
            self.ticket = claim and tickets.filter(pk=claim.ticket, requester=claim.person).first()
            if self.ticket is None or not self.is_valid():
                typed = request.POST.get("body", "").strip()
                return render(request, "tickets/by_link/not_valid.html", {"typed": typed}, status=404)
            if not self.ticket.is_done and not self.has_reply(request):
                return self.page("open")
            return super().dispatch(request, *args, **kwargs)

    def has_reply(self, request) -> bool:
        """Whether the request contains a reply, which an open ticket accepts too."""
        return False

    def is_valid(self) -> bool:
        ticket = self.ticket
        return ticket.requester.is_active and not ticket.is_merged and ticket.takes_replies

    def page(self, name: str, **context):
        context = {"ticket": self.ticket, "token": self.kwargs["token"], **context}
        return render(self.request, f"tickets/by_link/{name}.html", context)

    def thank(self, text: str, **context):
        """Leads a requester who is logged in back to the ticket; others get a page."""
        if self.request.user != self.ticket.requester:
            return self.page("confirmed", **context)
        messages.success(self.request, text)
        return redirect(self.ticket)


class FixedView(AnswerMixin, View):
    def get(self, request):
        if not self.ticket.confirmed_at:
            return self.page("fixed")
        return self.page("confirmed", form=FeedbackForm())

    def post(self, request):
        with acting_as(self.ticket.requester, source=Ticket.Source.WEB):
            self.ticket.confirm()
        return self.thank(_("Thank you. IT knows that your problem is solved."), form=FeedbackForm())


class FeedbackView(AnswerMixin, FormView):
    form_class = FeedbackForm
    template_name = "tickets/by_link/confirmed.html"
    http_method_names = ["post", "options"]

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs, ticket=self.ticket, token=self.kwargs["token"])

    def has_reply(self, request) -> bool:
        """A ticket that was reopened meanwhile still receives the feedback."""
        return True

    def form_valid(self, form):
        if form.cleaned_data["body"]:
            form.save(self.ticket)
        return self.thank(_("Thank you for your feedback."), has_feedback=True)


class NotFixedView(AnswerMixin, FormView):
    form_class = NotFixedForm
    template_name = "tickets/by_link/not_fixed.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs, ticket=self.ticket)

    def has_reply(self, request) -> bool:
        return bool(request.POST.get("body", "").strip())

    def form_valid(self, form):
        """A ticket that was reopened meanwhile still receives the reply."""
        form.save(self.ticket)
        return self.page("open")
