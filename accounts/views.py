from allauth.account.views import ConfirmEmailView
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.messages.views import SuccessMessageMixin
from django.core.exceptions import BadRequest
from django.http import Http404
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, UpdateView, View

from accounts.forms import ProfileForm
from accounts.models import Theme, User, time_zone_names
from helpdesk.redirects import previous_page


class ConfirmAddressView(ConfirmEmailView):
    """Shows a message if the link was used before; allauth's own answers with 404."""

    def post(self, request, *args, **kwargs):
        try:
            return super().post(request, *args, **kwargs)
        except Http404:
            return self.get(request, *args, **kwargs)


@method_decorator(login_not_required, name="dispatch")
class CutOffLinkView(TemplateView):
    """Handles an incomplete link to reset a password, for which allauth has no URL."""

    template_name = "account/password_reset_from_key.html"
    extra_context = {"token_fail": True}


class ProfileView(SuccessMessageMixin, UpdateView):
    """The person's own profile. There is no URL for the profile of another person."""

    form_class = ProfileForm
    template_name = "accounts/profile.html"
    success_url = reverse_lazy("accounts:profile")
    success_message = _("Profile saved.")

    def get_object(self, queryset=None):
        # Use a copy, because a form with errors must not change the name in the page's header.
        return User.objects.get(pk=self.request.user.pk)


class ThemeView(View):
    """Light, dark or as the system: chosen in the account menu, on any page."""

    http_method_names = ["post"]

    def post(self, request):
        if request.POST.get("theme") not in Theme.values:
            raise BadRequest
        User.objects.filter(pk=request.user.pk).update(theme=request.POST["theme"])
        return previous_page(request)


class TimeZoneView(View):
    """Takes over the time zone of the browser, which the home page offers if it differs."""

    http_method_names = ["post"]

    def post(self, request):
        zone = request.POST.get("time_zone", "")
        if zone not in time_zone_names():
            raise BadRequest
        User.objects.filter(pk=request.user.pk).update(time_zone=zone)
        text = gettext("Times are now shown in %(zone)s.") % {"zone": zone.replace("_", " ")}
        messages.success(request, text)
        return previous_page(request)
