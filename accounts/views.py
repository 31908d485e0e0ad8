from django.contrib.messages.views import SuccessMessageMixin
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import UpdateView

from accounts.forms import ProfileForm
from accounts.models import User


class ProfileView(SuccessMessageMixin, UpdateView):
    """Everybody's own profile; there is no address of somebody else's."""

    form_class = ProfileForm
    template_name = "accounts/profile.html"
    success_url = reverse_lazy("accounts:profile")
    success_message = _("Your profile is saved.")

    def get_object(self, queryset=None):
        # A copy: a form with errors must not change the name in the page's header.
        return User.objects.get(pk=self.request.user.pk)
