"""Confirms a reply that a person sent from another address, by the link in an email (is_this_you)."""

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.generic import View

from tickets.mail.receiving import handler
from tickets.mail.writing import tokens
from tickets.models import InboundEmail
from tickets.storage.access import StoreUnavailable


@method_decorator(login_not_required, name="dispatch")
class ConfirmSenderView(View):
    """Staff must be logged in as well: nobody confirms a message of staff by a forwarded link."""

    http_method_names = ["get", "head", "post", "options"]

    def dispatch(self, request, *args, token, **kwargs):
        claim = tokens.read_confirm(token)
        people = get_user_model().objects.active()
        self.person = claim and people.filter(pk=claim.person).first()
        self.email = claim and InboundEmail.objects.waiting_for_confirmation().filter(pk=claim.email).first()
        if self.email is None or self.person is None:
            return self.not_valid()
        if self.person.is_staff and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if self.person.is_staff and request.user != self.person:
            return self.not_valid()
        return super().dispatch(request, *args, **kwargs)

    def get(self, request):
        return self.page()

    def post(self, request):
        try:
            email = handler.confirm(self.email, person=self.person)
        except handler.CannotDecide:
            return self.not_valid()
        except StoreUnavailable:
            return self.page(is_store_away=True, status=503)
        if request.user != self.person:
            return render(request, "tickets/by_link/reply_added.html", {"ticket": email.ticket})
        messages.success(request, _("Your reply was added."))
        return redirect(email.ticket)

    def page(self, *, is_store_away: bool = False, status: int = 200):
        context = {"email": self.email, "person": self.person, "is_store_away": is_store_away}
        return render(self.request, "tickets/by_link/confirm_sender.html", context, status=status)

    def not_valid(self):
        return render(self.request, "tickets/by_link/not_valid.html", status=404)
