"""What staff decide about a mail that came in."""

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.forms.linking import TicketNumberField
from tickets.inbound import handler
from tickets.models import InboundEmail


class DecisionForm(forms.Form):
    """save() does what is chosen and returns the mail; it raises handler.CannotDecide."""

    class Act(models.TextChoices):
        RELEASE = "release", _("Take it as genuine")
        ATTACH = "attach", _("Put it on this ticket")
        TICKET = "ticket", _("Make it a new ticket")
        BLOCK = "block", _("Block the sender")
        DISCARD = "discard", _("Discard it")
        REPLAY = "replay", _("Try again")

    act = forms.ChoiceField(choices=Act)
    number = TicketNumberField(
        label=_("Ticket"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "placeholder": "#1042"}),
    )

    def __init__(self, *args, email: InboundEmail, by, **kwargs):
        super().__init__(*args, **kwargs)
        self.email, self.by = email, by
        if self.is_bound and self.data.get("act") == self.Act.ATTACH:
            self.fields["number"].required = True
        elif self.is_bound:
            del self.fields["number"]

    def save(self) -> InboundEmail:
        act = self.cleaned_data["act"]
        if act == self.Act.ATTACH:
            return handler.attach(self.email, self.cleaned_data["number"], by=self.by)
        acts = {
            self.Act.RELEASE: handler.release,
            self.Act.TICKET: handler.make_ticket,
            self.Act.BLOCK: handler.block,
            self.Act.DISCARD: handler.discard,
            self.Act.REPLAY: handler.replay,
        }
        return acts[self.Act(act)](self.email, by=self.by)
