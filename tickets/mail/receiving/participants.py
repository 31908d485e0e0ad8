"""The people and marks of a ticket's conversation, to distinguish its quotations from pasted messages."""

from email.utils import parseaddr

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q

from tickets.mail.receiving.quoting import Participants
from tickets.models import Mailbox, Ticket

SHORTEST_NAME = 4  # letters; "Ann" occurs in too many lines
MOST = 100


def of(ticket: Ticket) -> Participants:
    """The helpdesk, and the requester, assignee, watchers and authors of the ticket."""
    takes_part = (
        Q(pk__in=[number for number in (ticket.requester_id, ticket.assignee_id) if number])
        | Q(pk__in=ticket.watchers.values("person"))
        | Q(pk__in=ticket.comments.values("author"))
    )
    people = list(get_user_model().objects.filter(takes_part).values_list("email", "full_name")[:MOST])
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    words = {name, address, settings.SUPPORT_EMAIL, *(word for person in people for word in person)}
    words |= {word for mailbox in Mailbox.objects.values_list("address", "sender_name") for word in mailbox}
    if settings.INBOUND_DOMAIN:
        words.add(f"@{settings.INBOUND_DOMAIN}")
    marks = {f"{settings.SITE_URL}/", f"[#{ticket.pk}]"}
    return Participants(
        people=frozenset(word.lower() for word in words if len(word) >= SHORTEST_NAME),
        marks=frozenset(mark.lower() for mark in marks),
        domains=frozenset(f"@{email.rpartition('@')[2].lower()}" for email, _name in people),
    )
