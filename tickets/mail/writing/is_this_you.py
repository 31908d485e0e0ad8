"""Asks a person at the known address whether a reply from another address is theirs."""

from django.utils.translation import gettext as _

from tickets.mail.writing import tokens
from tickets.mail.writing.letter import QuestionLetter
from tickets.models import Notification
from tickets.models.notification import IS_THIS_YOU


def letter(notification: Notification) -> QuestionLetter:
    """Raises ObjectDoesNotExist if the incoming email was deleted."""
    email = notification.inbound_email
    if email is None:
        raise Notification.inbound_email.RelatedObjectDoesNotExist
    return QuestionLetter(
        folder=IS_THIS_YOU,
        person=notification.person,
        sender_address=email.sender,
        url=tokens.confirm_link(email.pk, notification.person_id),
        reason=_("You are receiving this email because someone used your reply address."),
    )
