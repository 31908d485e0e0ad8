"""Compares subjects without the prefixes that email clients add."""

import re

from tickets.mail.receiving.phrases import ANSWER, FORWARD
from tickets.models import ActivityLog, Ticket

NUMBER = re.compile(r"\s*+\[#[0-9]{1,18}\]")
NUMBER_IN_BRACKETS = re.compile(r"\[#([0-9]{1,18})\]")
SPACES = re.compile(r"\s+")
MOST = 10  # prefixes
COMPARED = 100  # characters, because email clients cut long subjects


def without_prefixes(subject: str) -> str:
    """The subject without "Re:", "Fwd:" and the ticket number of our emails."""
    for _number in range(MOST):
        found = NUMBER.match(subject) or ANSWER.match(subject) or FORWARD.match(subject)
        if not found:
            break
        subject = subject[found.end() :]
    return subject.strip()


def numbers_in(subject: str) -> list[int]:
    """The ticket numbers in a subject: only the first one if it starts with it, as those of our emails do."""
    bare = subject
    for _number in range(MOST):
        if found := NUMBER.match(bare):
            return [int(NUMBER_IN_BRACKETS.search(found[0])[1])]
        if not (found := ANSWER.match(bare) or FORWARD.match(bare)):
            break
        bare = bare[found.end() :]
    return [int(number) for number in NUMBER_IN_BRACKETS.findall(subject)[:MOST]]


def is_about(subject: str, ticket: Ticket) -> bool:
    """Whether it is a present or earlier subject of the ticket, because our emails keep the first one."""
    if _plain(subject) == _plain(ticket.subject):
        return True
    changes = ActivityLog.objects.filter(ticket_id=ticket.pk, changes__has_key="subject")
    names = {name for row in changes.values_list("changes", flat=True) for name in row["subject"] if name}
    return any(_plain(subject) == _plain(name) for name in names)


def _plain(subject: str) -> str:
    """Normalizes a subject. Removes white space, because mail.writing.threads adds a space to "=?"."""
    return SPACES.sub("", without_prefixes(subject)).rstrip("…").casefold()[:COMPARED]
