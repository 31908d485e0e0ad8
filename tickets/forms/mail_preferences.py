from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.models import MailPreferences
from tickets.notifications import rules

TIMES = ("digest_at", "quiet_from", "quiet_until")


class MailPreferencesForm(forms.ModelForm):
    """Which mail a person wants: only the kinds that the person can get."""

    class Meta:
        model = MailPreferences
        fields = [*MailPreferences.KINDS, *TIMES]
        help_texts = {"statuses": _("Reminders that we wait for your answer belong to it.")}
        widgets = {name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in TIMES}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        person = self.instance.person
        self.kind_names = rules.kinds_for(person)
        for name in set(MailPreferences.KINDS) - set(self.kind_names):
            del self.fields[name]
        if person.is_staff:
            self.fields["assignments"].label = _("A ticket is assigned")
            self.fields["receipts"].label = _("My own ticket has arrived")
        zone = person.zone.key.replace("_", " ")
        self.fields["digest_at"].help_text = _("By the clock of your time zone: %(zone)s.") % {"zone": zone}

    @property
    def kinds(self):
        return [self[name] for name in self.kind_names]

    @property
    def times(self):
        return [self[name] for name in TIMES]
