from django import forms
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import acting_as
from tickets import conversation
from tickets.forms.tickets import LinesField
from tickets.models import Draft, Ticket


class NotFixedForm(forms.Form):
    body = LinesField(
        label=gettext_lazy("What is still wrong?"),
        required=False,
        max_length=Draft.MAX_LENGTH,
        validators=[MaxLengthValidator(Draft.MAX_LENGTH)],
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @transaction.atomic
    def save(self, ticket: Ticket) -> None:
        """Says it as the requester, and the ticket is open again."""
        source = Ticket.Source.EMAIL  # the link came by mail, and what is typed on the page stays there
        with acting_as(ticket.requester, source=source):
            ticket.report_not_fixed()
            body = self.cleaned_data["body"] or _("It is not fixed.")
            conversation.reply(ticket, author=ticket.requester, body=body, source=source)
            Ticket.objects.get(pk=ticket.pk).reopen()  # thanks alone would leave it done
