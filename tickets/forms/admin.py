from django import forms
from django.contrib.auth import get_user_model

from tickets.forms.tickets import LinesField
from tickets.forms.versioned import VersionedFormMixin
from tickets.models import Category, Status, Ticket
from tickets.workflow import FOLLOWERS, Phase


class NewTicketAdminForm(forms.ModelForm):
    """Staff file a ticket for somebody."""

    class Meta:
        model = Ticket
        fields = ["requester", "subject", "category", "description", "status", "priority", "assignee"]
        field_classes = {"description": LinesField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.active()
        self.fields["assignee"].queryset = get_user_model().objects.staff()
        self.fields["status"].initial = Status.objects.default_for(Phase.NEW)
        self.instance.source = Ticket.Source.ADMIN


class TicketAdminForm(VersionedFormMixin, forms.ModelForm):
    """Offers only what may follow: phases of the workflow, people who may work on tickets."""

    class Meta:
        model = Ticket
        fields = ["status", "assignee", "priority", "category", "subject", "description"]
        field_classes = {"description": LinesField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.fields:
            return  # a page to read only
        ticket, people = self.instance, get_user_model().objects
        self.fields["status"].queryset = Status.objects.filter(phase__in=FOLLOWERS[ticket.phase])
        # Present values stay possible, even of somebody who has left or a category that is switched off.
        present = people.filter(pk=ticket.assignee_id)
        self.fields["assignee"].queryset = people.staff() | present
        self.fields["category"].queryset = Category.objects.active() | Category.objects.filter(
            pk=ticket.category_id
        )
