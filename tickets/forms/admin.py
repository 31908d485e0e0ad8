from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.forms.on_behalf import OnBehalfMixin
from tickets.forms.people import AssigneeField
from tickets.forms.selects import PlainSelect
from tickets.forms.tickets import FewRowsField, LinesField
from tickets.forms.versioned import VersionedFormMixin
from tickets.forms.waiting import CHOOSE, DayInput, WaitingMixin
from tickets.models import Category, Status, Ticket
from tickets.rules.workflow import FOLLOWERS, Phase

FIELD_CLASSES = {
    "description": LinesField,
    "status": FewRowsField,
    "assignee": AssigneeField,
    "category": FewRowsField,
}
WIDGETS = {"wakes_on": DayInput(), "waiting_for": PlainSelect, "priority": PlainSelect}


class NewTicketAdminForm(WaitingMixin, OnBehalfMixin, forms.ModelForm):
    """The form with which staff file a ticket for another person."""

    class Meta:
        model = Ticket
        fields = [
            "requester", "subject", "category", "description", "status", "waiting_for", "wakes_on",
            "priority", "assignee",
        ]  # fmt: skip
        field_classes = FIELD_CLASSES
        widgets = WIDGETS

    FIELDSETS = (
        (_("Who needs help?"), {"fields": ["requester", "requester_email", "requester_name"]}),
        (_("What is it about?"), {"fields": Meta.fields[1:]}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.active()
        self.fields["category"].empty_label = CHOOSE
        self.fields["assignee"].offer()
        self.fields["assignee"].empty_label = _("Unassigned")
        self.fields["status"].initial = Status.objects.default_for(Phase.NEW)
        self.ask_for_reason()
        self.instance.source = Ticket.Source.ADMIN


class TicketAdminForm(WaitingMixin, VersionedFormMixin, forms.ModelForm):
    """Offers only valid next phases, and people who may work on tickets."""

    class Meta:
        model = Ticket
        fields = [
            "status", "waiting_for", "wakes_on", "assignee", "priority", "category", "subject", "description",
        ]  # fmt: skip
        field_classes = FIELD_CLASSES
        widgets = WIDGETS

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.fields:
            return  # a read-only page
        ticket = self.instance
        self.fields["status"].queryset = Status.objects.filter(phase__in=FOLLOWERS[ticket.phase])
        # Keeps present values valid, even a former staff member or an inactive category.
        self.fields["assignee"].offer(present=ticket.assignee_id)
        self.fields["category"].queryset = Category.objects.offered(present=ticket.category_id)
        self.fields["assignee"].empty_label = _("Unassigned")
        for name in ("status", "category"):
            self.fields[name].empty_label = None
        self.ask_for_reason(unsaid=self._words_without_reason())

    def _words_without_reason(self):
        """Returns the label for a waiting ticket without a reason: it may keep having none."""
        if not self.instance.status.is_waiting:
            return CHOOSE
        return None if self.instance.waiting_for else _("Not set")

    @property
    def may_have_no_reason(self) -> bool:
        is_unsaid = self.stored["status"].is_waiting and not self.stored["waiting_for"]
        return is_unsaid and "status" not in self.changed_data
