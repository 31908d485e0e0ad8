"""What makes the mails of one ticket one thread in Gmail, Outlook and Apple Mail.

All of them go by References and In-Reply-To (RFC 5322, 3.6.4). Gmail begins a new thread where the subject
changes, so it stays the one under which the ticket was filed; and it likes to know one of the mails that are
named, so that is the last one to the same person.
"""

import re

from django.conf import settings
from django.utils.translation import gettext as _

from accounts import links
from tickets.events import Verb
from tickets.inbound.addresses import reply_address
from tickets.models import ActivityLog, InboundEmail, Notification, Ticket
from tickets.notifications import tokens

MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>", re.ASCII)


def subject(ticket: int) -> str:
    """The subject of every mail about a ticket, also of one that is gone; its log keeps it."""
    first = ActivityLog.objects.filter(ticket_id=ticket).oldest_first().first()
    if first is None or first.verb != Verb.CREATED:
        return in_brackets(ticket, _("a ticket that is gone"))
    return subject_after(first)


def subject_after(filing: ActivityLog) -> str:
    return in_brackets(filing.ticket_id, filing.changes["subject"][1])


def in_brackets(ticket: int, text: str) -> str:
    # What reads like an encoded word would be decoded into something that nobody has checked (RFC 2047).
    return f"[#{ticket}] {text}".replace("=?", "= ?")


def headers(notification: Notification) -> dict[str, str]:
    """All mails of a ticket answer one that was never sent, the mail that it was filed by, which is in the
    requester's own folders, and the last one to this person.
    """
    root = f"<ticket-{notification.ticket_id}@{settings.MESSAGE_ID_DOMAIN}>"
    before = Notification.objects.filter(
        ticket=notification.ticket_id, person=notification.person_id, is_digest=False, pk__lt=notification.pk
    )
    sent = before.exclude(sent_at=None).exclude(message_id__in=("", notification.message_id))
    last = sent.order_by("-pk").values_list("message_id", flat=True).first()
    first = first_mail(notification.ticket_id)
    named = [identifier for identifier in (root, first, last) if identifier]
    return {"In-Reply-To": last or first or root, "References": " ".join(named)}


def first_mail(ticket: int | None) -> str:
    """The Message-ID of the mail that a ticket was filed by; "" where it came another way."""
    filed = InboundEmail.objects.filter(ticket=ticket, ticket__source=Ticket.Source.EMAIL, comment=None)
    filed = filed.filter(state=InboundEmail.State.FILED).order_by("pk")
    identity = filed.values_list("identity", flat=True).first() or ""
    return identity if MESSAGE_ID.fullmatch(identity) else ""


def unsubscribe(notification: Notification) -> dict[str, str]:
    """Mail programs show a button for it and send a POST (RFC 2369, 3.2; RFC 8058, 3.1)."""
    link = tokens.mute_link(notification.ticket_id, notification.person_id)
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def foot_links(notification: Notification) -> list[tuple[str, str]]:
    """What stands at the end of the mail: words and addresses."""
    mute = tokens.mute_link(notification.ticket_id, notification.person_id)
    return [(_("No more mail about this ticket"), mute), choose_link()]


def choose_link() -> tuple[str, str]:
    return (_("Choose which mail you get"), links.absolute("mail_preferences"))


def reply_to(notification: Notification, *, internal: bool) -> list[str]:
    """Where an answer to the mail becomes a reply on its ticket, or a note where it is about one.

    Nowhere without mail that comes in.
    """
    if not settings.INBOUND_DOMAIN:
        return []
    return [reply_address(notification.ticket_id, notification.person_id, internal=internal)]


def what_becomes_of_answers(*, internal: bool) -> list[str]:
    if internal:
        return [_("An answer to this mail is an internal note: only staff read it.")]
    return [_("You can answer this mail. What you write stands on the ticket's page.")]
