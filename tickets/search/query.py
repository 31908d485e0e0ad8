"""Parses the text of a search box. Every text is valid."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from helpdesk.letters import fold, words_of
from tickets.mail import addresses
from tickets.search.filters import WORDS
from tickets.search.meanings import nearest
from tickets.search.terms import MOST_WORDS, Asked, Term

MAX_LENGTH = 200
MOST_FILTERS = 10
LARGEST_NUMBER = 2**63 - 1
PIECE = re.compile(
    r'(?P<minus>-?)(?:(?P<name>[A-Za-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]+)|(?=\s|$))'
)
# References to a ticket in subjects of emails, on pages, and in URLs.
IN_BRACKETS = re.compile(r"\[\s*#(\d+)\s*\]", re.ASCII)
BY_NAME = re.compile(r"(?:ticket|#)\s*:?\s*#?\s*(\d+)\s*[.,:;!?]?", re.ASCII | re.IGNORECASE)
WITH_SUBJECT = re.compile(r"(?:ticket\s*)?#(\d+)\s*[:–-]?\s+(?=\S)", re.ASCII | re.IGNORECASE)
MAIL_ADDRESS = re.compile(r"(?:mailto:)?(?:[^<>@]*<)?(?P<address>[^\s<>@]+@[^\s<>@?]+)>?", re.IGNORECASE)
ADDRESS = re.compile(
    r"<?(?P<site>(?:https?://)?[^\s/?#]*)/(?:admin/tickets/ticket|tickets)/(?P<number>\d+)(?:[/?#]\S*)?",
    re.ASCII | re.IGNORECASE,
)
SIGNS = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "−": "-", "\0": " "})


@dataclass(frozen=True)
class TicketReference:
    """A reference to a ticket: its `number`, and conditions for opening it."""

    number: int
    subject: str = ""  # must start with the ticket's subject, or the reverse
    site: str = ""  # the origin of its URL; "" for this helpdesk


@dataclass(frozen=True)
class Query:
    terms: tuple[Term, ...] = ()
    filters: tuple[Asked, ...] = ()
    number: int | None = None
    is_jump: bool = False  # whether the query is only #1042, which opens the ticket
    is_cut: bool = field(default=False, compare=False)  # whether the text was longer than the limit
    mark: TicketReference | None = field(default=None, compare=False)

    @property
    def looks_everywhere(self) -> bool:
        """Whether all phases are searched, which is true for every non-empty query."""
        return bool(self.terms or self.filters)

    def reading_as_words(self, asked: Iterable[Asked]) -> "Query":
        """The query with invalid filters converted to words."""
        asked = tuple(asked)
        more = [Term(one.typed) for one in asked if one.typed]
        terms = _first_words(_each_once([*more, *self.terms]))
        filters = tuple(one for one in self.filters if one not in asked)
        return replace(self, terms=tuple(terms), filters=filters)


def parse(typed: str) -> Query:
    """The distinct words, phrases and filters of the first MAX_LENGTH characters."""
    is_long = len(typed.strip()) > MAX_LENGTH
    typed = typed[:MAX_LENGTH].translate(SIGNS).strip()
    terms, filters = [], []
    for piece in PIECE.finditer(typed):
        name, is_excluded = (piece["name"] or "").lower(), bool(piece["minus"])
        value = piece["quoted"] if piece["quoted"] is not None else piece["bare"] or ""
        stands_before_more = piece["bare"] is None and piece["quoted"] is None and piece.end() < len(typed)
        if name and not stands_before_more and is_meant_as_filter(name, value):
            filters.append(Asked(name, value.strip(), is_excluded, typed=f"{name}:{value}"))
        elif text := f"{name}:{value}" if name else value:
            terms.append(Term(text, piece["quoted"] is not None, is_excluded))
    number, mark = ticket_number(typed), mark_in(typed)
    is_jump = number is not None and typed.startswith("#")
    terms, filters = _each_once(terms), each_filter_once(filters)
    searched = _first_words(terms)
    is_cut = is_long or searched != terms or len(filters) > MOST_FILTERS
    return Query(tuple(searched), tuple(filters[:MOST_FILTERS]), number, is_jump, is_cut, mark)


def _each_once(terms: list[Term]) -> list[Term]:
    """Removes repeated terms. Keeps the last of them, because the last word may be a prefix."""
    last = {}
    for term in terms:
        same = (tuple(words_of(term.text)) or term.text, term.is_phrase, term.is_excluded)
        last.pop(same, None)
        last[same] = term
    return list(last.values())


def each_filter_once(filters: Iterable[Asked]) -> list[Asked]:
    return list({(asked.name, fold(asked.value), asked.is_excluded): asked for asked in filters}.values())


def _first_words(terms: list[Term]) -> list[Term]:
    """Cuts `terms` to MOST_WORDS words in total."""
    kept, room = [], MOST_WORDS
    for term in terms:
        words = words_of(term.text)
        if len(words) > room:
            return [*kept, replace(term, text=" ".join(words[:room]))] if room else kept
        kept.append(term)
        room -= len(words)
    return kept


def is_meant_as_filter(name: str, value: str) -> bool:
    """Whether it is a filter, also a misspelt one, unlike https://example.com or error:1234."""
    return not value.startswith("//") and (name in WORDS or nearest(name, WORDS) is not None)


def ticket_number(typed: str) -> int | None:
    """A typed ticket number, with or without #; None for other texts.

    A number with leading zeros and without # is a word, like 0042.
    """
    typed = typed[:MAX_LENGTH].strip()
    digits = typed.removeprefix("#")
    if not (digits.isascii() and digits.isdigit()) or (digits == typed and digits[0] == "0"):
        return None
    return _possible(digits)


def mark_in(typed: str) -> TicketReference | None:
    """The reference in a text like [#56], Ticket #56, #56 Printer, the URL of a ticket's page, or a reply
    address.
    """
    typed = typed[:MAX_LENGTH].strip()
    if found := IN_BRACKETS.search(typed) or BY_NAME.fullmatch(typed):
        number, more = found[1], {}
    elif found := ADDRESS.fullmatch(typed):
        number, more = found["number"], {"site": found["site"].lower().removeprefix("<")}
    elif (found := MAIL_ADDRESS.fullmatch(typed)) and (answered := addresses.parse(found["address"])):
        number, more = str(answered.ticket), {}
    elif found := WITH_SUBJECT.match(typed):
        number, more = found[1], {"subject": typed[found.end() :]}
    else:
        return None
    possible = _possible(number)
    return None if possible is None else TicketReference(possible, **more)


def _possible(digits: str) -> int | None:
    return number if (number := int(digits)) <= LARGEST_NUMBER else None
