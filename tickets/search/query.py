"""What somebody typed into a search box, taken apart; pure. Nothing that is typed is an error here."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tickets import likeness
from tickets.search.words import fold, words_of

MAX_LENGTH = 200
MOST_WORDS, MOST_FILTERS = 32, 10
LIKENESS = 0.65  # of a filter or value to the one that was meant
LARGEST_NUMBER = 2**63 - 1
FILTERS = ("status", "category", "assignee", "requester", "priority", "before", "after", "is", "has")
PIECE = re.compile(
    r'(?P<minus>-?)(?:(?P<name>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]+)|(?=\s|$))'
)
# How the helpdesk itself names a ticket: in the subjects of mails, on pages, and by the address of a page.
IN_BRACKETS = re.compile(r"\[\s*#(\d+)\s*\]", re.ASCII)
BY_NAME = re.compile(r"(?:ticket|#)\s*:?\s*#?\s*(\d+)\s*[.,:;!?]?", re.ASCII | re.IGNORECASE)
WITH_SUBJECT = re.compile(r"#(\d+):?\s+(?=\S)", re.ASCII)
ADDRESS = re.compile(
    r"<?(?P<site>(?:https?://)?[^\s/?#]*)/(?:admin/tickets/ticket|tickets)/(?P<number>\d+)(?:[/?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)
SIGNS = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "−": "-", "\0": " "})


@dataclass(frozen=True)
class Term:
    """A word or, in quotes, a phrase; with a minus in front what must not stand there."""

    text: str
    is_phrase: bool = False
    is_excluded: bool = False


@dataclass(frozen=True)
class Filter:
    """Like status:waiting; `name` is one of FILTERS, unless there is none of this name."""

    name: str
    value: str
    is_excluded: bool = False
    typed: str = field(default="", compare=False)  # empty: chosen beside the search box


@dataclass(frozen=True)
class Mark:
    """What names a ticket: its `number`, and what has to be true for it to be meant."""

    number: int
    subject: str = ""  # how the ticket's subject must begin
    site: str = ""  # where its address says that it is; empty: here


@dataclass(frozen=True)
class Query:
    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()
    number: int | None = None
    is_jump: bool = False  # to the ticket of the number: it stood alone, behind a #
    is_cut: bool = field(default=False, compare=False)  # more was typed than is searched
    mark: Mark | None = field(default=None, compare=False)

    @property
    def looks_everywhere(self) -> bool:
        """Whether tickets of all phases are searched: wherever something is asked for at all."""
        return bool(self.terms or self.filters)

    def reading_as_words(self, asked: Iterable[Filter]) -> "Query":
        """The same with filters that make no sense taken as the words that they may be."""
        asked = tuple(asked)
        more = [Term(one.typed) for one in asked if one.typed]
        terms = _first_words(_each_once([*more, *self.terms]))
        filters = tuple(one for one in self.filters if one not in asked)
        return replace(self, terms=tuple(terms), filters=filters)


def parse(typed: str) -> Query:
    """The words, phrases and filters of the first MAX_LENGTH characters, each once."""
    is_long = len(typed.strip()) > MAX_LENGTH
    typed = typed[:MAX_LENGTH].translate(SIGNS).strip()
    terms, filters = [], []
    for piece in PIECE.finditer(typed):
        name, is_excluded = (piece["name"] or "").lower(), bool(piece["minus"])
        value = piece["quoted"] if piece["quoted"] is not None else piece["bare"] or ""
        stands_before_more = piece["bare"] is None and piece["quoted"] is None and piece.end() < len(typed)
        if name and not stands_before_more and is_meant_as_filter(name, value):
            filters.append(Filter(name, value.strip(), is_excluded, typed=f"{name}:{value}"))
        elif text := f"{name}:{value}" if name else value:
            terms.append(Term(text, piece["quoted"] is not None, is_excluded))
    number, mark = ticket_number(typed), mark_in(typed)
    is_jump = number is not None and typed.startswith("#")
    terms, filters = _each_once(terms), each_filter_once(filters)
    searched = _first_words(terms)
    is_cut = is_long or searched != terms or len(filters) > MOST_FILTERS
    return Query(tuple(searched), tuple(filters[:MOST_FILTERS]), number, is_jump, is_cut, mark)


def _each_once(terms: list[Term]) -> list[Term]:
    """Where a term is repeated, its last place counts: the last word may be only begun."""
    last = {}
    for term in terms:
        same = (tuple(words_of(term.text)) or term.text, term.is_phrase, term.is_excluded)
        last.pop(same, None)
        last[same] = term
    return list(last.values())


def each_filter_once(filters: Iterable[Filter]) -> list[Filter]:
    return list({(asked.name, fold(asked.value), asked.is_excluded): asked for asked in filters}.values())


def _first_words(terms: list[Term]) -> list[Term]:
    """As many of `terms`, and of the last one as much, as have MOST_WORDS words together."""
    kept, room = [], MOST_WORDS
    for term in terms:
        words = words_of(term.text)
        if len(words) > room:
            return [*kept, replace(term, text=" ".join(words[:room]))] if room else kept
        kept.append(term)
        room -= len(words)
    return kept


def is_meant_as_filter(name: str, value: str) -> bool:
    """Also one that is misspelt; but not https://example.com or error:1234."""
    return not value.startswith("//") and (name in FILTERS or nearest(name, FILTERS) is not None)


def nearest(text: str, offered: Iterable[str]) -> str | None:
    """The one of `offered` that `text` was probably meant to be."""
    return likeness.nearest(text, offered, cutoff=LIKENESS)


def ticket_number(typed: str) -> int | None:
    """The number that somebody typed, with or without #; None where it can't be a ticket's.

    With zeros in front, and no #, it is a code like any other: 0042.
    """
    typed = typed[:MAX_LENGTH].strip()
    digits = typed.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or (digits == typed and digits[0] == "0"):
        return None
    return _possible(digits)


def mark_in(typed: str) -> Mark | None:
    """The ticket that is named like the helpdesk names it: [#56], Ticket #56, #56 Printer, an address."""
    typed = typed[:MAX_LENGTH].strip()
    if found := IN_BRACKETS.search(typed) or BY_NAME.fullmatch(typed):
        number, more = found[1], {}
    elif found := ADDRESS.fullmatch(typed):
        number, more = found["number"], {"site": found["site"].lower().removeprefix("<")}
    elif found := WITH_SUBJECT.match(typed):
        number, more = found[1], {"subject": typed[found.end() :]}
    else:
        return None
    possible = _possible(number)
    return None if possible is None else Mark(possible, **more)


def _possible(digits: str) -> int | None:
    return number if (number := int(digits)) <= LARGEST_NUMBER else None
