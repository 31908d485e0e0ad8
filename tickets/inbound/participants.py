"""By what a quotation of a ticket's conversation is told from a mail of somebody else."""

from email.utils import parseaddr

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q

from tickets.inbound.quoting import Conversation
from tickets.models import Ticket

SHORTEST_NAME = 4  # letters; "Ann" stands in many lines
MOST = 100


def of(ticket: Ticket) -> Conversation:
    """The helpdesk, and everybody who filed, watches, works or spoke on the ticket."""
    takes_part = (
        Q(pk__in=[number for number in (ticket.requester_id, ticket.assignee_id) if number])
        | Q(pk__in=ticket.watchers.values("person"))
        | Q(pk__in=ticket.comments.values("author"))
    )
    people = get_user_model().objects.filter(takes_part).values_list("email", "full_name")[:MOST]
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    words = {name, address, settings.SUPPORT_EMAIL, *(word for person in people for word in person)}
    if settings.INBOUND_DOMAIN:
        words.add(f"@{settings.INBOUND_DOMAIN}")
    marks = {f"{settings.SITE_URL}/", f"[#{ticket.pk}]"}
    return Conversation(
        people=frozenset(word.lower() for word in words if len(word) >= SHORTEST_NAME),
        marks=frozenset(mark.lower() for mark in marks),
    )
