from django.contrib.messages.views import SuccessMessageMixin
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import UpdateView

from tickets.forms.mail_preferences import MailPreferencesForm
from tickets.models import MailPreferences


class MailPreferencesView(SuccessMessageMixin, UpdateView):
    """A person's email preferences. The first save creates the row."""

    form_class = MailPreferencesForm
    template_name = "accounts/mail_preferences.html"
    success_url = reverse_lazy("mail_preferences")
    success_message = _("Email notifications saved.")

    def get_object(self, queryset=None):
        person = self.request.user
        preferences = MailPreferences.objects.filter(person=person).first()
        return preferences or MailPreferences(person=person)
