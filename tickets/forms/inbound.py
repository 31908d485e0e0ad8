"""The decision of staff about an incoming email."""

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.forms.linking import TicketNumberField
from tickets.mail.receiving import handler
from tickets.models import InboundEmail


class DecisionForm(forms.Form):
    """save() carries out the decision and returns the email. It raises handler.CannotDecide.

    `invites` holds the address for which the page announced a new account.
    """

    class Act(models.TextChoices):
        RELEASE = "release", _("Accept sender")
        ATTACH = "attach", _("Add to ticket")
        TICKET = "ticket", _("Create ticket")
        BLOCK = "block", _("Block sender")
        DISCARD = "discard", _("Discard")
        REPLAY = "replay", _("Try again")

    act = forms.ChoiceField(choices=Act)
    invites = forms.CharField(required=False, max_length=320, widget=forms.HiddenInput)
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
        if act == self.Act.TICKET:
            return handler.make_ticket(self.email, by=self.by, invites=self.cleaned_data["invites"])
        acts = {
            self.Act.RELEASE: handler.release,
            self.Act.BLOCK: handler.block,
            self.Act.DISCARD: handler.discard,
            self.Act.REPLAY: handler.replay,
        }
        return acts[self.Act(act)](self.email, by=self.by)
