"""Converts a parsed query to a Match, the condition for search documents. Pure."""

import itertools
from collections.abc import Iterable, Iterator

from helpdesk.letters import words_of
from helpdesk.readings import BETWEEN_GROUPS, as_one_number, other_readings
from tickets.search.matching import FOR_ALL, FOR_STAFF, REQUESTER, SUBJECT, Match, Run
from tickets.search.terms import MOST_WORDS, Term
from tickets.search.words import stem

SHORTEST_BEGINNING = 2  # letters of a prefix


def match_for(terms: Iterable[Term], marks: tuple[str, ...], *, people: Iterable[str] = ()) -> Match:
    """A match for every one of `terms` and none of the excluded ones. The last word may be a prefix.

    `people` are names or addresses that the requester must all have.
    """
    terms = list(terms)
    last = next((term for term in reversed(terms) if not term.is_excluded), None)
    wanted, unwanted = [], []
    numbers = _numbers_in_groups(terms)
    for term in terms:
        runs = runs_of(term, may_be_begun=term is last) + numbers.get(term, [])
        meant = tuple(run.marked(mark) for run in runs for mark in marks)
        if term.is_excluded:
            unwanted += meant
        elif meant:
            wanted.append(meant)
    for name in people:
        wanted.append(tuple(run.marked(REQUESTER) for run in runs_of(Term(name), may_be_begun=True)))
    return Match(tuple(dict.fromkeys(filter(None, wanted))), tuple(dict.fromkeys(unwanted)))


def marks_for(user) -> tuple[str, ...]:
    """The marks of the texts that `user` may search."""
    return FOR_STAFF if user.is_staff else FOR_ALL


def in_subjects(terms: Iterable[Term]) -> Match:
    """A match for all of `terms` in the subject."""
    return match_for(terms, (SUBJECT,))


def runs_wanted(terms: Iterable[Term]) -> list[list[Run]]:
    """For each wanted term the runs that match it, without marks."""
    terms = [term for term in terms if not term.is_excluded]
    numbers = _numbers_in_groups(terms)
    found = [runs_of(term, may_be_begun=term is terms[-1]) + numbers.get(term, []) for term in terms]
    return [runs for runs in found if runs]


def runs_of(term: Term, *, may_be_begun: bool) -> list[Run]:
    """The runs that match `term`: its words side by side, in each spelling."""
    words = words_of(term.text)
    if not words:
        return []
    can_be_begun = may_be_begun and not term.is_phrase
    runs = list(_runs(words, can_be_begun))
    for others in other_readings(term.text, context=MOST_WORDS, is_asked=True):
        runs += _runs(others, can_be_begun and not _is_number(others[-1]))
    return list(dict.fromkeys(runs))


def _runs(words: list[str], can_be_begun: bool) -> Iterator[Run]:
    """A prefix matches the word itself, not its stem."""
    stems = tuple(stem(word) for word in words)
    begun = Run((*stems[:-1], words[-1]), is_begun=True)
    if not can_be_begun or len(words[-1]) < SHORTEST_BEGINNING:
        yield Run(stems)
        return
    if not stems[-1].startswith(words[-1]):
        yield Run(stems)
    yield begun


def _is_number(word: str) -> bool:
    """Numbers are not prefixes: 1250 does not match 12,500."""
    return word.isdecimal() or BETWEEN_GROUPS in word


def _numbers_in_groups(terms: Iterable[Term]) -> dict[Term, list[Run]]:
    """Additional runs for terms that may together be one number: 1 250 000."""
    found = {}
    for is_group, some in itertools.groupby(terms, key=_is_group):
        groups = list(some) if is_group else []
        if numbers := as_one_number(term.text for term in groups):
            found |= dict.fromkeys(groups, [Run((number,)) for number in numbers])
    return found


def _is_group(term: Term) -> bool:
    return not (term.is_phrase or term.is_excluded) and len(term.text) <= 3 and term.text.isdecimal()
