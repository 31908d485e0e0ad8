"""Finds tickets by words and filters, with the same results on SQLite and PostgreSQL."""

from collections.abc import Iterable
from functools import cached_property

from django.conf import settings
from django.db.models import Case, Q, SmallIntegerField, Value, When
from django.utils.translation import gettext as _

from helpdesk.letters import words_of
from tickets.models import SearchDocument
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.search.asking import in_subjects, marks_for, match_for
from tickets.search.database import database
from tickets.search.filters import meaning
from tickets.search.matching import Match
from tickets.search.meanings import Wrong
from tickets.search.query import each_filter_once, parse
from tickets.search.terms import Asked

# Up to so many hits are read first, then filtered and sorted. With more hits, the index of the order is
# walked, because hits come soon. The planner can't choose: it mistakes a rare word for a common one and tests
# a million rows.
MOST_FETCHED = 2000


def search(tickets: TicketQuerySet, words: str, *, user) -> TicketQuerySet:
    """The tickets that match a query: words, "phrases", -excluded, status:waiting, #1042.

    `tickets` must be limited to what `user` may see. Only staff find tickets by notes, file names and
    requesters.
    """
    return Search(words, user=user).filter(tickets)


class Search:
    """A query that `user` has typed, with the filters `chosen` beside it, and its results."""

    def __init__(self, typed: str, *, user, chosen: Iterable[Asked] = ()):
        self.typed, self.user = typed, user
        self.query = parse(typed)
        self.filters = tuple(each_filter_once((*self.query.filters, *chosen)))
        self.wrong: list[Wrong] = []
        senseless: list[Asked] = []
        self.assignees: list = []  # the people for assignee:ann
        self.conditions, people = Q(), []
        for asked in self.filters:
            try:
                meant = meaning(asked, user)
            except Wrong as wrong:
                self.wrong.append(wrong)
                senseless.append(asked)
                continue
            self.conditions &= meant.condition
            self.assignees += meant.assignees
            if meant.name:
                people.append(meant.name)
        # "Status: offline" may be a subject, so an invalid filter is read as words, unless it was chosen or
        # excluded.
        self.finds_nothing = any(asked.is_excluded or not asked.typed for asked in senseless)
        self.query = self.query.reading_as_words(senseless)
        terms = () if self.query.is_jump else self.query.terms
        self.match = match_for(terms, marks_for(user), people=people)

    @cached_property
    def problems(self) -> list[str]:
        """The errors of invalid filters. Typed ones are read as words."""
        return [str(wrong) for wrong in self.wrong]

    @property
    def advice(self) -> list[str]:
        """Hints about the query for the person."""
        cut = [_("This search is too long. Only its beginning is searched.")] if self.query.is_cut else []
        return [*self.problems, *cut]

    @property
    def has_words(self) -> bool:
        return bool(self.match.all)

    def jump(self, tickets: TicketQuerySet):
        """The ticket that #1042, 1042 or another reference names; None if it names none of `tickets`.

        A number in quotes is a word.
        """
        mark = self.query.mark
        if self.query.number is not None:
            return tickets.filter(pk=self.query.number).first()
        ticket = tickets.filter(pk=mark.number).first() if mark else None
        if ticket is None or not _is_meant(ticket.subject, mark.subject):
            return None
        is_elsewhere = mark.site and mark.site.split("://")[-1] != settings.SITE_URL.split("://")[-1]
        # The URL may have another host name of this helpdesk, or be a page of another site.
        return None if is_elsewhere and self.filter(tickets).exists() else ticket

    def filter(self, tickets: TicketQuerySet, *, counted: bool = False) -> TicketQuerySet:
        """The matching `tickets`. `counted`: they are only counted, so the hits are not read first."""
        if not self.typed.strip() and not self.filters:
            return tickets
        if self.query.is_jump:
            return tickets.filter(pk=self.query.number)
        has_sense = self.match.all or self.match.none or self.filters
        if self.finds_nothing or not has_sense:
            return tickets.none()
        tickets = tickets.filter(self.conditions)
        if self.match.all:
            number = Q() if self.query.number is None else Q(pk=self.query.number)
            tickets = tickets.filter(number | (self._hits_counted if counted else self._hits))
        elif self.match.none:
            tickets = tickets.filter(database().without(Match((self.match.none,))))
        return tickets

    @property
    def finds_few(self) -> bool:
        """Whether the query has words, and they have at most MOST_FETCHED hits."""
        return self.can_be_weighed if self.has_words else not self.match.none

    @property
    def can_be_weighed(self) -> bool:
        return self.has_words and self.numbers is not None

    @cached_property
    def best_first(self) -> tuple:
        """The order by relevance: matches in the subject first, then the newest change (can_be_weighed)."""
        in_subject, listed = in_subjects(self.query.terms), database().listed
        best = []
        if in_subject.all:
            found = SearchDocument.objects.filter(pk__in=listed(self.numbers))
            found = found.filter(words__matches=database().query(in_subject))
            best = list(found.values_list("pk", flat=True))
        rank = Case(
            When(pk__in=listed(best), then=Value(0)), default=Value(1), output_field=SmallIntegerField()
        )
        return rank.asc(), "-updated_at" if self.user.is_staff else "-public_at", "-pk"

    @property
    def _hits_counted(self) -> Q:
        return Q(search_document__words__matches=database().query(self.match))

    @cached_property
    def _hits(self) -> Q:
        if self.numbers is not None:
            return Q(pk__in=database().listed(self.numbers))
        return database().among_many(self.match)

    @cached_property
    def numbers(self) -> list[int] | None:
        """The numbers of all tickets that match the words; None if there are more than MOST_FETCHED."""
        return database().fetched(self.match, MOST_FETCHED)


def _is_meant(subject: str, typed: str) -> bool:
    """Whether one starts with the other, because lists cut subjects and page titles add text."""
    words, begun = words_of(subject), words_of(typed)
    return " ".join(words).startswith(" ".join(begun)) or (bool(words) and begun[: len(words)] == words)
