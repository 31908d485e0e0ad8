"""Headers that group the emails of one ticket into one thread in Gmail, Outlook and Apple Mail.

These clients use References and In-Reply-To (RFC 5322, 3.6.4). Gmail starts a new thread if the Subject
changes, so all emails have the first subject of the ticket. Gmail also needs a reference to an email that the
reader has, so the headers name the last email to the same person.
"""

import re

from django.conf import settings
from django.utils.translation import gettext as _

from accounts import links
from tickets.mail import addresses
from tickets.mail.roots import root as signed_root
from tickets.mail.writing import tokens
from tickets.mail.writing.letter import Link
from tickets.models import ActivityLog, InboundEmail, Notification, Ticket
from tickets.rules.events import Verb

MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>", re.ASCII)


def subject(ticket: int) -> str:
    """The Subject of every email about a ticket. Reads it from the log, which keeps deleted tickets."""
    first = ActivityLog.objects.filter(ticket_id=ticket).oldest_first().first()
    if first is None or first.verb != Verb.CREATED:
        return in_brackets(ticket, _("a deleted ticket"))
    return subject_after(first)


def subject_after(filing: ActivityLog) -> str:
    return in_brackets(filing.ticket_id, filing.changes["subject"][1])


def in_brackets(ticket: int, text: str) -> str:
    # Without "=?", which a client would decode as an encoded word (RFC 2047) into unchecked text.
    return f"[#{ticket}] {text}".replace("=?", "= ?")


def headers(notification: Notification, *, internal: bool = False) -> dict[str, str]:
    """In-Reply-To and References. They name two roots that were never sent, the email that created the ticket
    (which the requester has), and the last email to this person.

    The first root groups the emails of a ticket. It can be guessed, so only the signed one finds the ticket
    of a reply. `internal`: the reply becomes an internal note.
    """
    root = f"<ticket-{notification.ticket_id}@{settings.MESSAGE_ID_DOMAIN}>"
    signed = signed_root(notification.ticket_id, notification.person_id, internal=internal)
    before = Notification.objects.filter(
        ticket=notification.ticket_id, person=notification.person_id, is_digest=False, pk__lt=notification.pk
    )
    sent = before.exclude(sent_at=None).exclude(message_id__in=("", notification.message_id))
    last = sent.order_by("-pk").values_list("message_id", flat=True).first()
    first = first_mail(notification.ticket_id)
    named = [identifier for identifier in (root, signed, first, last) if identifier]
    return {"In-Reply-To": last or first or root, "References": " ".join(named)}


def headers_of_answer(notification: Notification) -> dict[str, str]:
    """In-Reply-To and References of an email about an incoming one (RFC 3834, 3.1.5)."""
    email = notification.inbound_email
    if email is None or not MESSAGE_ID.fullmatch(email.identity):
        return {}
    return {"In-Reply-To": email.identity, "References": email.identity}


def first_mail(ticket: int | None) -> str:
    """The Message-ID of the email that created the ticket; "" if it was created in another way."""
    mails = InboundEmail.objects.filter(ticket=ticket, ticket__source=Ticket.Source.EMAIL, comment=None)
    identity = mails.filed().oldest_first().values_list("identity", flat=True).first() or ""
    return identity if MESSAGE_ID.fullmatch(identity) else ""


def unsubscribe(notification: Notification) -> dict[str, str]:
    """Headers for the unsubscribe button of email clients (RFC 2369, 3.2; RFC 8058, 3.1)."""
    link = tokens.mute_link(notification.ticket_id, notification.person_id)
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def foot_links(notification: Notification) -> list[Link]:
    mute = tokens.mute_link(notification.ticket_id, notification.person_id)
    return [Link(_("Mute notifications"), mute), choose_link()]


def choose_link() -> Link:
    return Link(_("Change email notifications"), links.absolute("mail_preferences"))


def reply_to(notification: Notification, *, internal: bool) -> list[str]:
    """The Reply-To addresses. `internal`: a reply becomes an internal note. Empty if nobody would get it."""
    ticket, person = notification.ticket_id, notification.person_id
    address = addresses.reply_to(notification.mailbox, ticket, person, internal=internal)
    return [address] if address else []


def what_becomes_of_answers(*, internal: bool) -> list[str]:
    if internal:
        return [
            _("If you reply to this email, your reply becomes an internal note that only staff can read.")
        ]
    return [_("You can reply to this email. Your reply is added to the ticket.")]
