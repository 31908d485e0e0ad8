"""From what was typed to what a document must hold; pure."""

from collections.abc import Iterable

from tickets.search.matching import FOR_ALL, FOR_STAFF, REQUESTER, SUBJECT, Match, Run
from tickets.search.query import Term
from tickets.search.words import stem, words_of

SHORTEST_BEGINNING = 2  # letters


def match_for(terms: Iterable[Term], marks: tuple[str, ...], *, people: Iterable[str] = ()) -> Match:
    """What holds each of `terms` and none of the excluded ones; the last word may be only begun.

    `people` are names or addresses of which the requester must have each.
    """
    terms = list(terms)
    last = next((term for term in reversed(terms) if not term.is_excluded), None)
    wanted, unwanted = [], []
    for term in terms:
        runs = runs_of(term, may_be_begun=term is last)
        meant = tuple(run.marked(mark) for run in runs for mark in marks)
        if term.is_excluded:
            unwanted += meant
        elif meant:
            wanted.append(meant)
    for name in people:
        wanted.append(tuple(run.marked(REQUESTER) for run in runs_of(Term(name), may_be_begun=True)))
    return Match(tuple(dict.fromkeys(filter(None, wanted))), tuple(dict.fromkeys(unwanted)))


def marks_for(user) -> tuple[str, ...]:
    """Whose words `user` finds tickets by."""
    return FOR_STAFF if user.is_staff else FOR_ALL


def in_subjects(terms: Iterable[Term]) -> Match:
    """What has all of `terms` in the subject."""
    return match_for(terms, (SUBJECT,))


def runs_wanted(terms: Iterable[Term]) -> list[list[Run]]:
    """For each wanted term what stands for it, whosever words they are."""
    terms = [term for term in terms if not term.is_excluded]
    found = [runs_of(term, may_be_begun=term is terms[-1]) for term in terms]
    return [runs for runs in found if runs]


def runs_of(term: Term, *, may_be_begun: bool) -> list[Run]:
    """What stands for `term`: its words side by side. Begun is the word itself, not what its forms share."""
    words = words_of(term.text)
    if not words:
        return []
    stems = tuple(stem(word) for word in words)
    if term.is_phrase or not may_be_begun or len(words[-1]) < SHORTEST_BEGINNING:
        return [Run(stems)]
    begun = Run((*stems[:-1], words[-1]), is_begun=True)
    return [begun] if stems[-1].startswith(words[-1]) else [Run(stems), begun]
