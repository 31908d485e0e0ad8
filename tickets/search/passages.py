"""Shows on the rows of a list why they were found: the subject and a passage, with the words marked."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from tickets.models import Attachment, Comment, Ticket
from tickets.search.asking import runs_wanted
from tickets.search.marking import marked, passage, spans
from tickets.search.query import Query

MOST_READ = 400_000  # characters of what was said on all the rows together


@dataclass(frozen=True)
class Passage:
    text: SafeString
    is_internal: bool = False


def attach(tickets: Iterable[Ticket], query: Query, user) -> None:
    """Gives each ticket `marked_subject` and `passage` (None where there is nothing to show).

    Two queries at most, however many rows and messages there are.
    """
    tickets, asked = list(tickets), runs_wanted(query.terms)
    for ticket in tickets:
        ticket.marked_subject = marked(ticket.subject, [span for span, _ in spans(ticket.subject, asked)])
        found = spans(ticket.description, asked)
        ticket.passage = Passage(passage(ticket.description, found)) if found else None
    missing = {ticket.pk: ticket for ticket in tickets if ticket.passage is None}
    if asked and missing:
        _look_into_messages(missing, asked, user)
    if asked and missing and user.is_staff:
        _look_into_files(missing, asked)


def _look_into_messages(missing: dict[int, Ticket], asked, user) -> None:
    said = Comment.objects.filter(ticket__in=missing).visible_to(user).order_by("pk")
    read = 0
    for number, body, is_public in said.values_list("ticket", "body", "is_public").iterator():
        if number not in missing or read > MOST_READ:
            continue
        read += len(body)
        if found := spans(body, asked):
            missing.pop(number).passage = Passage(passage(body, found), is_internal=not is_public)


def _look_into_files(missing: dict[int, Ticket], asked) -> None:
    """The names of files are words of the staff's search alone."""
    files = Attachment.objects.filter(ticket__in=missing).order_by("pk")
    for number, name in files.values_list("ticket", "name"):
        if number in missing and (found := spans(name, asked)):
            missing.pop(number).passage = Passage(passage(name, found))
