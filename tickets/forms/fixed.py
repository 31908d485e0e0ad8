from django import forms
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.forms.tickets import LinesField
from tickets.models import Comment, Draft, Ticket


class FeedbackForm(forms.Form):
    body = LinesField(
        label=gettext_lazy("What could we do better?"),
        help_text=gettext_lazy("Only IT can read this."),
        required=False,
        max_length=Ticket.MAX_FEEDBACK,
        validators=[MaxLengthValidator(Ticket.MAX_FEEDBACK)],
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def save(self, ticket: Ticket) -> None:
        with acting_as(ticket.requester, source=Ticket.Source.WEB):
            ticket.give_feedback(self.cleaned_data["body"])


class NotFixedForm(forms.Form):
    body = LinesField(
        label=gettext_lazy("What is still not working?"),
        required=False,
        max_length=Draft.MAX_LENGTH,
        validators=[MaxLengthValidator(Draft.MAX_LENGTH)],
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    @transaction.atomic
    def save(self, ticket: Ticket) -> None:
        """Reopens the ticket with a reply of the requester. A repetition does nothing."""
        own = Comment.objects.filter(ticket=ticket, author=ticket.requester).order_by("-pk")
        if not ticket.is_done and own.values_list("body", flat=True).first() == self.cleaned_data["body"]:
            return
        source = Ticket.Source.EMAIL  # the link came by email, and text that is typed on the page stays there
        with acting_as(ticket.requester, source=source):
            ticket.report_not_fixed()
            body = self.cleaned_data["body"] or _("This is not fixed.")
            conversation.reply(ticket, Message(author=ticket.requester, body=body, source=source))
            if ticket.is_done:
                Ticket.objects.get(pk=ticket.pk).reopen()  # a reply of mere thanks would leave it done
