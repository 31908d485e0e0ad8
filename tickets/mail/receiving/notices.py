"""Emails about messages that wait for review: to the sender, or to the person whose reply address it has."""

from django.conf import settings
from django.contrib.auth import get_user_model

from tickets.mail.receiving import first_contact
from tickets.mail.receiving.decisions import (
    Decision,
    Reason,
    State,
    account_of,
    person_of,
    person_signed_for,
    reply_address_in,
    should_notify_sender,
)
from tickets.mail.receiving.parsing import Mail
from tickets.models import InboundEmail, KnownDomain
from tickets.notifications import outbox

STRANGERS = (Reason.UNKNOWN_SENDER, Reason.ASKED)


def notify(email: InboundEmail, mail: Mail, decision: Decision) -> None:
    """Queues the email that belongs to a decision, if any. Nobody unverified and no machine gets one."""
    if decision.state != State.QUARANTINED or not should_notify_sender(email, mail, decision):
        return
    if person := person_of(mail.sender):
        outbox.enqueue_held(person, email)
    elif account_of(mail.sender) or not _knows_strangers(email):
        return
    elif decision.reason in STRANGERS and first_contact.is_deliverable(mail.sender):
        outbox.enqueue_received_waits(mail.sender, email)
    elif decision.reason == Reason.WRONG_SENDER and (owner := _owner_of_address(email, mail)):
        outbox.enqueue_is_this_you(owner, email, sender=mail.sender)


def _knows_strangers(email: InboundEmail) -> bool:
    """Whether the installation writes to strangers: one with mailboxes, or one that lets new people in."""
    return email.mailbox_id is not None or settings.FIRST_CONTACT != KnownDomain.FirstContact.OFF


def _owner_of_address(email: InboundEmail, mail: Mail):
    """The active person for whom the reply address is signed."""
    reply = reply_address_in(email, mail)
    owner = reply and person_signed_for(reply)
    people = get_user_model().objects.active().may_be_mailed()
    return people.filter(pk=owner).first() if owner else None
