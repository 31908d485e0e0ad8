from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.models import MailPreferences
from tickets.notifications import audiences, weekly_report

TIMES = ("digest_at", "quiet_from", "quiet_until")


class MailPreferencesForm(forms.ModelForm):
    """Which emails a person wants; offers only the kinds that the person can receive."""

    class Meta:
        model = MailPreferences
        fields = [*MailPreferences.KINDS, "weekly_report", *TIMES]
        error_messages = {"digest_at": {"required": _("Enter a time.")}}
        help_texts = {"statuses": _("Includes reminders that we are waiting for your reply.")}
        widgets = {name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in TIMES}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        person = self.instance.person
        self.kind_names = audiences.kinds_for(person)
        for name in set(MailPreferences.KINDS) - set(self.kind_names):
            del self.fields[name]
        if not weekly_report.may_read(person):
            del self.fields["weekly_report"]
        if person.is_staff:
            self.fields["assignments"].label = _("Ticket is assigned")
            self.fields["receipts"].label = _("My own ticket was received")
        zone = person.zone.key.replace("_", " ")
        self.fields["digest_at"].show_hidden_initial = False  # nothing compares with the default
        self.fields["digest_at"].help_text = _("In your time zone: %(zone)s.") % {"zone": zone}

    @property
    def kinds(self):
        reports = [name for name in ("weekly_report",) if name in self.fields]
        return [self[name] for name in (*self.kind_names, *reports)]

    def save(self, commit=True):
        """A report that is chosen now begins with the next Monday."""
        if "weekly_report" in self.changed_data:
            self.instance.weekly_report_for = None
        return super().save(commit)

    @property
    def times(self):
        return [self[name] for name in TIMES]
