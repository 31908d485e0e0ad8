from allauth.account.views import ConfirmEmailView
from django.contrib.auth.decorators import login_not_required
from django.contrib.messages.views import SuccessMessageMixin
from django.http import Http404
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, UpdateView

from accounts.forms import ProfileForm
from accounts.models import User


class ConfirmAddressView(ConfirmEmailView):
    """Whoever presses the button twice reads that the link was used; allauth's own answers with 404."""

    def post(self, request, *args, **kwargs):
        try:
            return super().post(request, *args, **kwargs)
        except Http404:
            return self.get(request, *args, **kwargs)


@method_decorator(login_not_required, name="dispatch")
class CutOffLinkView(TemplateView):
    """A link to reset a password of which a part is missing; allauth's addresses need all parts."""

    template_name = "account/password_reset_from_key.html"
    extra_context = {"token_fail": True}


class ProfileView(SuccessMessageMixin, UpdateView):
    """Everybody's own profile; there is no address of somebody else's."""

    form_class = ProfileForm
    template_name = "accounts/profile.html"
    success_url = reverse_lazy("accounts:profile")
    success_message = _("Your profile is saved.")

    def get_object(self, queryset=None):
        # A copy: a form with errors must not change the name in the page's header.
        return User.objects.get(pk=self.request.user.pk)
