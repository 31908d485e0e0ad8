"""Adds highlighted subjects and passages to the rows of a search result."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tickets.models import Attachment, Comment, Ticket
from tickets.search.asking import runs_wanted
from tickets.search.marking import Reader, marked, passage
from tickets.search.query import Query

MOST_READ = 400_000  # the limit of Reader.read for all rows together
NOT_ALL_READ = _("These tickets have too much text to show everywhere what was found.")


@dataclass(frozen=True)
class Passage:
    text: SafeString
    is_internal: bool = False


def attach(tickets: Iterable[Ticket], query: Query, user) -> str:
    """Sets `marked_subject` and `passage` (which may be None) on each ticket.

    Needs two queries at most, for any number of rows and messages. Returns a sentence if the texts exceed
    MOST_READ.
    """
    tickets, reader = list(tickets), Reader(runs_wanted(query.terms))
    for ticket in tickets:
        found = reader.spans(ticket.subject)
        ticket.marked_subject = marked(ticket.subject, [span for span, _number in found])
    for ticket in tickets:
        ticket.passage = _passage(ticket.description, reader)
    missing = {ticket.pk: ticket for ticket in tickets if ticket.passage is None}
    if reader.asks and missing:
        _look_into_messages(missing, reader, user)
    if reader.asks and missing and user.is_staff:
        _look_into_files(missing, reader)
    return str(NOT_ALL_READ) if missing and reader.read > MOST_READ else ""


def _passage(text: str, reader: Reader, *, is_internal: bool = False) -> Passage | None:
    """The passage of a text; None without a match, or above the limit."""
    if reader.read > MOST_READ or not (found := reader.spans(text)):
        return None
    return Passage(passage(text, found), is_internal)


def _look_into_messages(missing: dict[int, Ticket], reader: Reader, user) -> None:
    said = Comment.objects.filter(ticket__in=missing).visible_to(user).order_by("pk")
    for number, body, is_public in said.values_list("ticket", "body", "is_public").iterator():
        if number in missing and (found := _passage(body, reader, is_internal=not is_public)):
            missing.pop(number).passage = found
        if reader.read > MOST_READ:
            break


def _look_into_files(missing: dict[int, Ticket], reader: Reader) -> None:
    """Sets passages from file names, which only staff can search."""
    files = Attachment.objects.filter(ticket__in=missing).order_by("pk")
    for number, name in files.values_list("ticket", "name"):
        if number in missing and (found := _passage(name, reader)):
            missing.pop(number).passage = found
