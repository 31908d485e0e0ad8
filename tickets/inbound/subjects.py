"""What is left of a subject without what programs put before it."""

import re

from tickets.inbound.phrases import ANSWER, FORWARD
from tickets.models import ActivityLog, Ticket

NUMBER = re.compile(r"\s*+\[#\d{1,18}\]")
SPACES = re.compile(r"\s+")
MOST = 10  # prefixes: programs pile them up
COMPARED = 100  # characters: programs cut long subjects


def without_prefixes(subject: str) -> str:
    """Without "Re:", "Fwd:" and the number that our mails have in brackets."""
    for _number in range(MOST):
        found = NUMBER.match(subject) or ANSWER.match(subject) or FORWARD.match(subject)
        if not found:
            break
        subject = subject[found.end() :]
    return subject.strip()


def is_about(subject: str, ticket: Ticket) -> bool:
    """Whether it is the ticket's, now or ever: our mails keep the first one."""
    if _plain(subject) == _plain(ticket.subject):
        return True
    changes = ActivityLog.objects.filter(ticket_id=ticket.pk, changes__has_key="subject")
    names = {name for row in changes.values_list("changes", flat=True) for name in row["subject"] if name}
    return any(_plain(subject) == _plain(name) for name in names)


def _plain(subject: str) -> str:
    """Our mails change what looks like an encoded word (tickets.notifications.threads)."""
    return SPACES.sub("", without_prefixes(subject)).rstrip("…").casefold()[:COMPARED]
