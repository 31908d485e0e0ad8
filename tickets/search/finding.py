"""Finds tickets by words and filters; the same answers on SQLite and on PostgreSQL."""

import json
from collections.abc import Iterable
from functools import cached_property

from django.conf import settings
from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, Q, SmallIntegerField, Value, When
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from tickets.models import SearchDocument
from tickets.querysets import TicketQuerySet
from tickets.search.asking import in_subjects, marks_for, match_for
from tickets.search.filters import Wrong, assignees_named, condition, person_named
from tickets.search.matching import Match, Run
from tickets.search.query import Filter, each_filter_once, parse
from tickets.search.words import words_of

# Up to so many hits are fetched first, then filtered and ordered. With more, the order's index is walked,
# where hits come soon. The planner can't tell by itself: it takes a rare word for a common one and tests a
# million rows (../shared/PERFORMANCE.md).
MOST_FETCHED = 2000


def search(tickets: TicketQuerySet, words: str, *, user) -> TicketQuerySet:
    """The tickets that match what was typed: words, "phrases", -excluded, status:waiting, #1042.

    `tickets` are already limited to what `user` may see. Only staff find tickets by notes, names of files
    and who filed them.
    """
    return Search(words, user=user).filter(tickets)


class Search:
    """What `user` typed into a search box, with the filters `chosen` beside it, and what comes of it."""

    def __init__(self, typed: str, *, user, chosen: Iterable[Filter] = ()):
        self.typed, self.user = typed, user
        self.query = parse(typed)
        self.filters = tuple(each_filter_once((*self.query.filters, *chosen)))
        self.wrong: list[Wrong] = []
        senseless: list[Filter] = []
        self.assignees: list = []  # whom assignee:ann means
        self.conditions, people = Q(), []
        for asked in self.filters:
            try:
                if name := person_named(asked, user):
                    people.append(name)
                elif (assignees := assignees_named(asked, user)) is not None:
                    self.assignees += assignees
                    is_theirs = Q(assignee__in=[person.pk for person in assignees])
                    self.conditions &= ~is_theirs if asked.is_excluded else is_theirs
                else:
                    self.conditions &= condition(asked, user)
            except Wrong as wrong:
                self.wrong.append(wrong)
                senseless.append(asked)
        # "Status: offline" is the subject of some ticket. What was chosen, or left out, can't be words.
        self.finds_nothing = any(asked.is_excluded or not asked.typed for asked in senseless)
        self.query = self.query.reading_as_words(senseless)
        terms = () if self.query.is_jump else self.query.terms
        self.match = match_for(terms, marks_for(user), people=people)

    @cached_property
    def problems(self) -> list[str]:
        """Of filters that make no sense: those that were typed are read as words."""
        return [str(wrong) for wrong in self.wrong]

    @property
    def advice(self) -> list[str]:
        """What the searcher has to know of what was typed."""
        cut = [_("This search is too long. Only its beginning is searched.")] if self.query.is_cut else []
        return [*self.problems, *cut]

    @property
    def has_words(self) -> bool:
        return bool(self.match.all)

    def jump(self, tickets: TicketQuerySet):
        """The ticket that #1042, 1042 or a mark of ours leads to; None where none of `tickets` is named.

        In quotes a number is a word like any other.
        """
        mark = self.query.mark
        if self.query.number is not None:
            return tickets.filter(pk=self.query.number).first()
        ticket = tickets.filter(pk=mark.number).first() if mark else None
        if ticket is None or not _begins(words_of(ticket.subject), words_of(mark.subject)):
            return None
        is_elsewhere = mark.site and mark.site.split("://")[-1] != settings.SITE_URL.split("://")[-1]
        # Perhaps another name of this helpdesk, perhaps a page of somebody else that a ticket tells of.
        return None if is_elsewhere and self.filter(tickets).exists() else ticket

    def filter(self, tickets: TicketQuerySet, *, counted: bool = False) -> TicketQuerySet:
        """What of `tickets` matches. Where they are only `counted`, no query is made beforehand."""
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
            hits = Q(search_document__words__matches=self.match) if counted else self._hits
            tickets = tickets.alias(number_read=F("pk") + 0).filter(number | hits)
        elif self.match.none:
            tickets = tickets.exclude(_has_one_of(self.match.none))
        return tickets

    @property
    def finds_few(self) -> bool:
        """Whether the words, where there are any, say which few tickets it may be."""
        return self.can_be_weighed if self.has_words else not self.match.none

    @property
    def can_be_weighed(self) -> bool:
        return self.has_words and self.numbers is not None

    @cached_property
    def best_first(self) -> tuple:
        """The order: those whose subject says it all, then the newest change. Only where can_be_weighed."""
        in_subject = in_subjects(self.query.terms)
        documents = SearchDocument.objects.filter(pk__in=_listed(self.numbers))
        best = list(_documents(in_subject, documents)) if in_subject.all else []
        rank = Case(
            When(pk__in=_listed(best), then=Value(0)), default=Value(1), output_field=SmallIntegerField()
        )
        return rank.asc(), "-updated_at", "-pk"

    @cached_property
    def _hits(self) -> Q:
        if self.numbers is not None:
            return Q(pk__in=_listed(self.numbers))
        if connection.vendor == "postgresql":
            return Q(search_document__words__matches=self.match)
        # By what no index finds: SQLite would read all hits and sort them.
        found = "SELECT rowid FROM tickets_searchindex WHERE tickets_searchindex MATCH %s"
        return Q(number_read__in=RawSQL(found, [self.match.for_sqlite()]))  # noqa: S611 - a parameter

    @cached_property
    def numbers(self) -> list[int] | None:
        """Of all tickets that match the words; None: more than MOST_FETCHED."""
        if connection.vendor == "postgresql":
            found = _fetched_by_postgresql(self.match)
        else:
            found = list(_documents(self.match)[: MOST_FETCHED + 1])
        return found if found is not None and len(found) <= MOST_FETCHED else None


# PostgreSQL finds a common word by testing one document after the other: 2,000 hits take it five times as
# long as a page. Where a hundred of the newest 9,700 documents tell that there are more, they are not looked
# for.
FETCH = """
SELECT CASE WHEN are_many THEN NULL ELSE ARRAY(
    SELECT ticket_id FROM tickets_searchdocument WHERE words @@ %(match)s::tsquery LIMIT %(most)s
) END
FROM (
    SELECT MAX(ticket_id) > 20 * %(most)s
        AND COUNT(*) FILTER (WHERE words @@ %(match)s::tsquery) >= 5 AS are_many
    FROM tickets_searchdocument
    WHERE ticket_id IN (
        SELECT (SELECT MAX(ticket_id) FROM tickets_searchdocument) - 97 * step
        FROM generate_series(0, 99) AS step
    )
) AS guess
"""


def _fetched_by_postgresql(match: Match) -> list[int] | None:
    with connection.cursor() as cursor:
        cursor.execute(FETCH, {"match": match.for_postgresql(), "most": MOST_FETCHED + 1})
        return cursor.fetchone()[0]


def _listed(numbers: list[int]) -> RawSQL:
    """Many numbers as one parameter: thousands of them take Django longer than the database."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [numbers])  # noqa: S611 - a parameter
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(numbers)])  # noqa: S611 - a parameter


def _has_one_of(unwanted: tuple[Run, ...]) -> Q:
    """For words that are only left out. PostgreSQL looks into the documents of the rows that are shown."""
    match = Match((unwanted,))
    if connection.vendor == "postgresql":
        return Q(Exists(SearchDocument.objects.filter(pk=OuterRef("pk"), words__matches=match)))
    return Q(pk__in=_documents(match))


def _begins(words: list[str], beginning: list[str]) -> bool:
    """Whether `words` begin with these; the last one may be only begun, as in a list that cuts subjects."""
    return " ".join(words).startswith(" ".join(beginning))


def _documents(match: Match, among=None):
    among = SearchDocument.objects if among is None else among
    return among.filter(words__matches=match).values_list("pk", flat=True)
