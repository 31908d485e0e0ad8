from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.calendar import today
from tickets.forms.on_behalf import OnBehalfMixin
from tickets.forms.people import AssigneeField
from tickets.forms.tickets import FewRowsField, LinesField
from tickets.forms.versioned import VersionedFormMixin
from tickets.models import Category, Status, Ticket
from tickets.workflow import FOLLOWERS, Phase

FIELD_CLASSES = {
    "description": LinesField,
    "status": FewRowsField,
    "assignee": AssigneeField,
    "category": FewRowsField,
}


class NewTicketAdminForm(OnBehalfMixin, forms.ModelForm):
    """Staff file a ticket for somebody."""

    class Meta:
        model = Ticket
        fields = ["requester", "subject", "category", "description", "status", "priority", "assignee"]
        field_classes = FIELD_CLASSES

    FIELDSETS = (
        (_("Who needs help?"), {"fields": ["requester", "requester_email", "requester_name"]}),
        (_("What is it about?"), {"fields": Meta.fields[1:]}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.active()
        self.fields["assignee"].offer()
        self.fields["status"].initial = Status.objects.default_for(Phase.NEW)
        self.instance.source = Ticket.Source.ADMIN


class TicketAdminForm(VersionedFormMixin, forms.ModelForm):
    """Offers only what may follow: phases of the workflow, people who may work on tickets."""

    class Meta:
        model = Ticket
        fields = [
            "status", "waiting_for", "wakes_on", "assignee", "priority", "category", "subject", "description",
        ]  # fmt: skip
        field_classes = FIELD_CLASSES
        widgets = {"wakes_on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.fields:
            return  # a page to read only
        ticket = self.instance
        self.fields["status"].queryset = Status.objects.filter(phase__in=FOLLOWERS[ticket.phase])
        # Present values stay possible, even of somebody who has left or a category that is switched off.
        self.fields["assignee"].offer(present=ticket.assignee_id)
        self.fields["category"].queryset = Category.objects.active() | Category.objects.filter(
            pk=ticket.category_id
        )
        self.fields["assignee"].empty_label = _("nobody yet")
        for name in ("status", "category"):
            self.fields[name].empty_label = None
        self._offer_reasons_to_wait()

    def _offer_reasons_to_wait(self) -> None:
        """A ticket that begins to wait does so for its requester, if nothing else is said."""
        ticket, field = self.instance, self.fields["waiting_for"]
        field.choices = Ticket.WaitingFor.choices
        if ticket.phase != Phase.WAITING:
            self.initial["waiting_for"] = Ticket.WaitingFor.REQUESTER
        elif not ticket.waiting_for:  # it has waited since before there were reasons
            field.choices = [("", _("not said")), *field.choices]

    @property
    def waiting_statuses(self) -> str:
        """Those with which a ticket waits, for static/js/facts.js."""
        statuses = self.fields["status"].queryset
        return " ".join(str(status.pk) for status in statuses if status.phase == Phase.WAITING)

    def clean(self):
        cleaned = super().clean()
        status, day = cleaned.get("status"), cleaned.get("wakes_on")
        if status is None or status.phase != Phase.WAITING or "wakes_on" in self.errors:
            return cleaned
        if day is None and cleaned.get("waiting_for") == Ticket.WaitingFor.DATE:
            self.add_error("wakes_on", _("Please say until which day it waits."))
        elif day is not None and "wakes_on" in self.changed_data and day <= today():
            self.add_error("wakes_on", _("Please choose a day that is still to come."))
        return cleaned
