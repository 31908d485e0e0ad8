"""Implements the keywords of the search box, like status:waiting, before:2026-11-01 and is:open.

tickets.search.filters declares them; this module filters the tickets.
"""

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.letters import words_of
from helpdesk.readings import all_words
from tickets.models import Attachment, Category, SearchDocument, Status, Ticket
from tickets.rules import likeness, workflow
from tickets.rules.workflow import Phase
from tickets.search.asking import match_for
from tickets.search.assignees import assignees_like, names_in, possible_assignees
from tickets.search.database import database
from tickets.search.names import named
from tickets.search.terms import Asked

LIKENESS = 0.65  # the similarity of a filter or value to a suggested one
ME, NOBODY = "me", ("unassigned", "nobody", "none")
UNITS = {"d": 1, "w": 7, "m": 30, "y": 365}  # days
AGO = re.compile(r"-(\d{1,4})([dwmy])", re.ASCII)
DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}", re.ASCII)
MOST_NAMES = 500  # names that are compared for a suggestion
PHASES = {"open": workflow.OPEN, "closed": (Phase.DONE,), **{phase.value: (phase,) for phase in Phase}}


@dataclass(frozen=True)
class Meaning:
    """Which tickets pass a filter of the search box.

    Where `name` is set, the words of the search documents answer for a person of this name, not `condition`.
    `assignees` are the people by whom it filters.
    """

    condition: Q = Q()
    name: str = ""
    assignees: tuple = ()


@dataclass(frozen=True)
class Word:
    """A word of the search box. `means` says which tickets pass, or raises Wrong.

    `offers` returns the completions, given the names of the categories.
    """

    name: str
    example: str
    means: Callable[[Asked, object, "Word"], Meaning]
    offers: Callable[[Iterable[str]], Iterable[str]]


class Wrong(Exception):
    """An invalid filter. str() is the error message, with the nearest valid one as a suggestion.

    Most messages are never shown (those of saved views), so the suggestion is searched only for display.
    """

    def __init__(self, problem: str, meant: Callable[[], str | None] = lambda: None):
        super().__init__(problem)
        self.problem, self.meant = problem, meant

    def __str__(self):
        if meant := self.meant():
            return self.problem + " " + _("Did you mean %(filter)s?") % {"filter": meant}
        return self.problem


def nearest(text: str, offered: Iterable[str]) -> str | None:
    """The most similar one of `offered`, if it is similar enough."""
    return likeness.nearest(text, offered, cutoff=LIKENESS)


def _documents_of(name: str):
    documents, match = SearchDocument.objects, match_for((), (), people=[name])
    return documents.filter(words__matches=database().query(match)) if match.all else documents.none()


def _names_like(value: str) -> set[str]:
    """Words of people's names and addresses with the same first letter."""
    people = get_user_model().objects.all()
    names = people.filter(Q(full_name__icontains=f" {value[0]}") | Q(full_name__istartswith=value[0]))
    return {
        word for name in names.values_list("full_name", flat=True)[:MOST_NAMES] for word in words_of(name)
    }


def of_status(asked: Asked, user, word: Word) -> Meaning:
    if asked.value.lower() in PHASES:
        return Meaning(Q(status__phase__in=PHASES[asked.value.lower()]))
    rows = Status.objects.values_list("pk", "name")
    return Meaning(Q(status__in=_named(word, asked.value, rows, PHASES)))


def of_category(asked: Asked, user, word: Word) -> Meaning:
    return Meaning(Q(category__in=_named(word, asked.value, Category.objects.values_list("pk", "name"))))


def of_priority(asked: Asked, user, word: Word) -> Meaning:
    return Meaning(Q(priority=_one_of(word, asked.value, Ticket.Priority.values)))


def of_assignee(asked: Asked, user, word: Word) -> Meaning:
    value = asked.value.lower()
    if value in (ME, *NOBODY):
        return Meaning(Q(assignee=user if value == ME else None))
    people = possible_assignees()
    if found := assignees_like(asked.value, people):
        return Meaning(Q(assignee__in=[person.pk for person in found]), assignees=tuple(found))
    raise _wrong_value(word, asked.value, lambda: (ME, NOBODY[0], *names_in(people)))


def of_requester(asked: Asked, user, word: Word) -> Meaning:
    if asked.value.lower() == ME:
        return Meaning(Q(requester=user))
    documents = _documents_of(asked.value)
    if asked.is_excluded:
        return Meaning(Q(pk__in=documents.values("pk")))
    if not documents.exists():
        raise _wrong_value(word, asked.value, lambda: _names_like(asked.value))
    return Meaning(name=asked.value)


def filed_before(asked: Asked, user, word: Word) -> Meaning:
    return Meaning(Q(created_at__lt=_start(word, asked.value)))


def filed_after(asked: Asked, user, word: Word) -> Meaning:
    return Meaning(Q(created_at__gte=_start(word, asked.value)))


def being(asked: Asked, user, word: Word) -> Meaning:
    offered = (*PHASES, NOBODY[0], "merged") + (("mine",) if user.is_staff else ())
    match _one_of(word, asked.value, offered):
        case "unassigned":
            return Meaning(Q(assignee=None))
        case "mine":
            return Meaning(Q(assignee=user))
        case "merged":
            return Meaning(Q(merged_into__isnull=False))
        case phase:
            return Meaning(Q(status__phase__in=PHASES[phase]))


def having(asked: Asked, user, word: Word) -> Meaning:
    """The condition of has:file. Files of internal notes count only for staff."""
    _one_of(word, asked.value, ("file", "files"))
    files = Attachment.objects.filter(ticket=OuterRef("pk"))
    if not user.is_staff:
        files = files.filter(Q(comment=None) | Q(comment__is_public=True))
    return Meaning(Q(Exists(files.order_by())))


def _one_of(word: Word, value: str, offered: Iterable[str]) -> str:
    offered = tuple(offered)
    if value.lower() in offered:
        return value.lower()
    raise _wrong_value(word, value, lambda: offered)


def _named(word: Word, value: str, rows: Iterable[tuple[int, str]], offered: Iterable[str] = ()) -> list[int]:
    """The primary keys of the rows whose name matches `value`."""
    rows = [(pk, all_words(text)) for pk, text in rows]
    if found := named(value, rows):
        return found
    raise _wrong_value(
        word, value, lambda: itertools.chain(offered, (word for _pk, words in rows for word in words))
    )


def _wrong_value(word: Word, value: str, offered: Callable[[], Iterable[str]]) -> Wrong:
    problem = _("“%(value)s” is not a valid value for “%(name)s:”.") % {"value": value, "name": word.name}
    return Wrong(problem, lambda: filter_meant(word.name, nearest(value.lower(), offered())) or word.example)


def filter_meant(name: str | None, value: str | None) -> str | None:
    return None if name is None or value is None else f"{name}:{value}"


def _start(word: Word, value: str) -> datetime:
    """The start of a day: 2026-11-01, today, or -7d for a week ago."""
    day = timezone.localdate()
    try:
        if ago := AGO.fullmatch(value.lower()):
            day -= timedelta(days=int(ago[1]) * UNITS[ago[2]])
        elif DAY.fullmatch(value):
            day = date(*map(int, value.split("-")))
        elif value.lower() == "yesterday":
            day -= timedelta(days=1)
        elif value.lower() != "today":
            raise ValueError
        # In UTC, to detect an overflow: east of Greenwich the first of all days starts before Python's range.
        return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)
    except (ValueError, OverflowError):
        problem = _("“%(value)s” is not a date like 2026-11-01 or -7d.") % {"value": value}
        days = ("today", "yesterday")
        raise Wrong(problem, lambda: filter_meant(word.name, nearest(value.lower(), days))) from None
