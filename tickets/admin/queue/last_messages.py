"""The newest message and the last public reply of each ticket in the queue, for its row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tickets.models import Comment, Ticket
from tickets.models.planner import LAST_COMMENTS
from tickets.rules.workflow import Phase

READ, SHOWN = 400, 160  # characters that are read of a message, and that a row shows of it


@dataclass(frozen=True)
class LastMessage:
    """A message, or the description of a ticket without messages."""

    author_id: int
    name: str  # of the author
    beginning: str
    sent_at: datetime
    is_public: bool
    is_by_staff: bool

    @property
    def short_name(self) -> str:
        return self.name.split()[0]

    @property
    def snippet(self) -> str:
        """Returns the beginning on one line. The page cuts it at the end of the column."""
        return " ".join(self.beginning.split())[:SHOWN]


def attach(tickets: list[Ticket]) -> None:
    """Sets `newest_message` and `last_reply` of each ticket, with one query for all."""
    newest, public = {}, {}
    for comment in _last_comments([ticket.pk for ticket in tickets]):
        message = newest[comment.ticket_id] = _message(comment)
        if message.is_public:
            public[comment.ticket_id] = message
    for ticket in tickets:
        description = _description(ticket)
        ticket.newest_message = newest.get(ticket.pk, description)
        ticket.last_reply = public.get(ticket.pk, description)


def _last_comments(tickets: list[int]) -> Iterable[Comment]:
    """Returns the newest comment and the newest public one of each ticket, oldest first."""
    if not tickets:
        return ()
    marks = ", ".join(["%s"] * len(tickets))
    return Comment.objects.raw(LAST_COMMENTS.format(numbers=marks), [*tickets, READ])


def _message(comment: Comment) -> LastMessage:
    name = comment.full_name or comment.email
    rest = (comment.beginning, comment.created_at, comment.is_public)
    return LastMessage(comment.author_id, name, *rest, bool(comment.works))


def _description(ticket: Ticket) -> LastMessage:
    requester, beginning = ticket.requester, ticket.description[:READ]
    return LastMessage(requester.pk, str(requester), beginning, ticket.created_at, True, False)


def needs_reply(ticket: Ticket) -> bool:
    """Whether the requester's side wrote last, so that staff have to reply.

    The rule is that of tickets.actions.conversation.is_asking().
    """
    last = ticket.last_reply
    is_asking = last.author_id == ticket.requester_id or not last.is_by_staff
    return is_asking and ticket.phase in (Phase.NEW, Phase.ACTIVE)
