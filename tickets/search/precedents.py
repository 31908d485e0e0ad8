"""Similar earlier tickets for the staff: how they were answered, and the category that they suggest."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.utils.safestring import SafeString

from accounts import actor
from tickets.models import Category, Comment, Ticket
from tickets.models.ticket_owner import working
from tickets.rules.excerpts import shortened
from tickets.search.frequencies import Frequencies, kept
from tickets.search.marking import Reader, marked, passage
from tickets.search.matching import Run
from tickets.search.similar import nearest, words_of_ticket
from tickets.search.votes import AGREED, majority

SHOWN, CHOSEN_FROM = 5, 10
LEAST = 0.15  # the lowest score of a similar ticket; lower ones look like chance
FEWEST_VOTES = 5
MARKED_WORDS = 8  # the rarest
LONGEST_ANSWER = 2_000  # characters
PASSAGE = 180
A_MOMENT = timedelta(minutes=1)  # between a reply and the save that solves the ticket, in either order
COLUMNS = ("pk", "subject", "status__name", "status__phase", "done_at", "category", "assignee", "requester")
COLUMNS_SAID = ("pk", "ticket", "author", "source", "created_at")


@dataclass(frozen=True)
class Precedent:
    """An earlier ticket; `answer` is the last public reply of staff before it was solved, `passage` the part
    of it with the words of both tickets marked. Both are empty where it is open, or nobody replied.
    """

    number: int
    subject: str
    status: str
    phase: str
    answer: str = ""
    passage: SafeString | str = ""


@dataclass(frozen=True)
class Suggestion:
    """`count` of the `asked` most similar tickets went to `category`, most of them to `person` if any."""

    count: int
    asked: int
    category: Category
    moves: bool  # whether the ticket is in another category
    person: object = None


class Precedents:
    """The precedents of `ticket` that `user` may see. At most five queries, and two for a suggestion."""

    def __init__(self, ticket: Ticket, user):
        self.ticket, self.user = ticket, user

    @cached_property
    def known(self) -> Frequencies:
        return kept.get()

    @cached_property
    def words(self) -> list[str]:
        return words_of_ticket(self.ticket.subject, self.ticket.description, known=self.known)

    @cached_property
    def near(self) -> list[tuple]:
        """Returns pairs (row of COLUMNS, score) of the tickets that are alike, the most similar first."""
        found = nearest(self.words, before=self.ticket.pk, known=self.known)
        numbers = [one.number for one in found if one.score >= LEAST]
        tickets = Ticket.objects.visible_to(self.user).filter(pk__in=numbers, merged_into=None).order_by()
        rows = {row.pk: row for row in tickets.values_list(*COLUMNS, named=True)}
        return [(rows[one.number], one.score) for one in found if one.number in rows]

    @cached_property
    def shown(self) -> list[Precedent]:
        """Returns up to SHOWN of the most similar tickets, solved ones first."""
        like = [row for row, _score in self.near[:CHOSEN_FROM]]
        like = sorted(like, key=lambda row: row.done_at is None)[:SHOWN]
        answers = self._answers({row.pk: row for row in like if row.done_at})
        reader = Reader([[Run((word,))] for word in self.words[:MARKED_WORDS]])
        return [self._precedent(row, answers.get(row.pk, ""), reader) for row in like]

    @cached_property
    def suggestion(self) -> Suggestion | None:
        """Returns another category or person for the ticket, if enough similar tickets agree."""
        if self.ticket.is_done or self.ticket.is_merged:
            return None
        found = majority([(row.category, score) for row, score in self.near])
        if found is None or found.asked < FEWEST_VOTES or not found.is_clear:
            return None
        moves = found.choice != self.ticket.category_id
        person = None if self.ticket.assignee_id else self._person(found)
        if not (moves or person):
            return None
        category = Category.objects.active().filter(pk=found.choice).first()
        return category and Suggestion(found.count, found.asked, category, moves, person)

    def _person(self, found):
        """Returns the assignee of most of these tickets, if AGREED of them agree and the person works."""
        nearest_rows = [row for row, _score in self.near[: found.asked] if row.category == found.choice]
        people = Counter(row.assignee for row in nearest_rows if row.assignee)
        if not people:
            return None
        number, count = people.most_common(1)[0]
        return working(number) if count >= AGREED * found.count else None

    def _answers(self, solved: dict[int, tuple]) -> dict[int, str]:
        """Returns {number: last public reply by staff before the solution} for these rows."""
        if not solved:
            return {}
        said = Comment.objects.visible_to(self.user).filter(ticket__in=solved, is_public=True)
        last = {}
        for number, ticket, author, source, moment in said.order_by("pk").values_list(*COLUMNS_SAID):
            row = solved[ticket]
            is_by_staff = author != row.requester and (source == actor.ADMIN or author == row.assignee)
            if is_by_staff and moment <= row.done_at + A_MOMENT:
                last[ticket] = number
        found = Comment.objects.filter(pk__in=last.values()).order_by()
        return dict(found.values_list("ticket", "body")) if last else {}

    @staticmethod
    def _precedent(row, answer: str, reader: Reader) -> Precedent:
        text, found = shortened(answer, LONGEST_ANSWER), ""
        if text:
            spans = reader.spans(text)
            found = passage(text, spans) if spans else marked(shortened(text, PASSAGE), [])
        return Precedent(row.pk, row.subject, row.status__name, row.status__phase, text, found)
