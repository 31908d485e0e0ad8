"""No text that is accepted takes long to read, to show, to search or to file: work grows as its size, not as the square.

THREATS 131. Work is counted, never timed (tickets.tests.work).
"""

import re
import unicodedata
from difflib import get_close_matches

import pytest
from django.template.defaultfilters import truncatechars
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.validators import is_blank, validate_single_line
from helpdesk import letters
from helpdesk.letters import fold, words_of
from tickets.actions import saved_replies
from tickets.management.importing.table import CsvTable
from tickets.rules import excerpts, likeness, thanks, variables
from tickets.rules.validators import safe_name
from tickets.search import documents, postgresql, sqlite
from tickets.search.asking import match_for, runs_wanted
from tickets.search.marking import marked, passage, spans
from tickets.search.matching import FOR_STAFF, Words
from tickets.search.query import MOST_FILTERS, parse
from tickets.search.terms import MOST_WORDS
from tickets.search.words import stems_of
from tickets.templatetags.tickets_text import mail_text, message_text
from tickets.tests.work import is_linear, work

LONGEST = 20_000
PIECES = [
    "a", " ", "a ", "foo bar ", "> q\n", "text\n", "- item\n", "- ", "*\t", "• x\n", "https://example.com/x ",
    "http://a.bc/(", "www.x.com ", "x@example.com ", "a@", "(", ")", "[", "]", "‹", "<", ">", "&lt;", "&", ";", ".",
    "/", "!", "://", "a.b ", "\n", "\n\n", "\r\n", "\x0b", "ß", "é", "a\u0301", "\u0323\u0301", "\u0345\uff9e",
    "    x\n", "a  b\n", "\t", "|", "+ ", "東", "ﷺ", "{", "{a} ", "{first_name}", '"', "'", "-", "thanks ", "help. ", "👍", "\u200b", "x" * 70 + " ",
]  # fmt: skip
UNITS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)


def found(text: str):
    """What a search shows of a text."""
    at = spans(text, runs_wanted(parse('a foo bar item "a a" "a a a" x').terms))
    return marked(text, [span for span, _number in at]), passage(text, at) if at else ""


def filed(text: str):
    kept = Words((tuple(stems_of(text)),))
    return sqlite.document(kept.cut(documents.MOST_PUBLIC)), postgresql.document(kept)


def named_wrongly(text: str):
    try:
        saved_replies.validate_variables(text)
    except saved_replies.ValidationError as error:
        return error.messages
    return []


READERS = {
    "shown": message_text,
    "shown of a mail": lambda text: message_text(text, "email"),
    "mailed": mail_text,
    "found": found,
    "filed": filed,
    "weighed": excerpts.effort,
    "cut": lambda text: (excerpts.beginning(text), excerpts.shortened(text, 80)),
    "thanks": thanks.is_only_thanks,
    "variables": lambda text: variables.fill(text, {"first_name": "Alice"}),
    "unknown variables": named_wrongly,
    "visible": is_blank,
    "one line": lambda text: validate_single_line(" ".join(text.split())),
    "name of a file": safe_name,
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
@settings(deadline=None)
@given(unit=UNITS)
def test_twice_the_text_is_twice_the_work(reader, unit):
    assert is_linear(READERS[reader], lambda size: unit * size, 150)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("piece", PIECES)
def test_the_longest_text_of_one_thing_is_little_work(reader, piece):
    """At most so many steps for each character, all of them of a fixed size."""
    text = (piece * LONGEST)[:LONGEST]
    READERS[reader](text)
    assert work(READERS[reader], text) < 150 * LONGEST


def test_the_count_sees_the_square():
    def pairs(items):
        return [one for one in items for other in items if one is other]

    def least(items):
        return min(items, key=lambda one: sum(other < one for other in items))

    for squared in (pairs, least):
        assert not is_linear(squared, lambda size: list(range(size)), 50)


# What C does in one call
@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["\u0301", "\u0323", "\u0345", "\uff9e", "a", "ᾳ", "ṩ"]), max_size=4).map(
        "".join
    )
)
def test_accents_are_never_sorted_by_the_thousand(unit):
    """normalize() moves each accent past those that stand before it on the same letter."""

    class Counted:
        longest = 0
        category = staticmethod(unicodedata.category)

        def normalize(self, form, text):
            apart = "".join(
                "x" if unicodedata.combining(one) else " " for one in unicodedata.normalize("NFKD", text)
            )
            kinds = {unicodedata.combining(one) for one in unicodedata.normalize("NFKD", text)}
            if len(kinds) > 2:  # of one kind none is moved
                self.longest = max(self.longest, *map(len, apart.split()), 0)
            return unicodedata.normalize(form, text)

    counted = Counted()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letters, "unicodedata", counted)
        folded = fold(unit * 200)
    assert counted.longest <= 3 + 200 * unit.count("\uff9e")
    assert folded == fold_as_before(unit * 200)


def fold_as_before(text: str) -> str:
    """By the definition: whatever stands in the way of it is only faster."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(letter for letter in apart if unicodedata.category(letter)[0] != "M")
    return unicodedata.normalize("NFC", bare).translate(letters.PLAIN)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_folding_is_what_it_was(text):
    assert fold(text) == fold_as_before(text)


def test_every_letter_folds_as_it_did():
    for code in {*range(0x3000), *range(0xA000, 0xD800), *range(0xF900, 0x20000), *range(0xE0000, 0xE0200)}:
        assert fold(f"a{chr(code)}b") == fold_as_before(f"a{chr(code)}b"), hex(code)


@settings(deadline=None)
@given(UNITS)
def test_a_cry_is_looked_for_once_in_each_line(unit):
    """What the beginning of the pattern reads, from every place where it may begin."""
    begins = re.compile(thanks.CRY.pattern.partition("(?:help")[0])

    def read(text: str) -> int:
        return sum(len(match[0]) for place in range(len(text)) if (match := begins.match(text, place)))

    assert read(unit * 200) <= 2 * len(unit * 200)


CRY_AS_BEFORE = re.compile(r"(?:^|[.!¡\n])\s*(?:help|hilfe|aide|ayuda|aiuto|ajuda|hulp)\b")


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["help", "helper", "a", ".", "!", "\n", " ", "\t", "\r", "\x0b", "hulp"])).map(
        "".join
    )
)
def test_a_cry_is_what_it_was(text):
    assert bool(thanks.CRY.search(text)) == bool(CRY_AS_BEFORE.search(text))


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("aé\u0301\u0323 \n<")), st.integers(2, 80))
def test_shortened_is_truncatechars(text, length):
    assert excerpts.shortened(text, length) == truncatechars(text, length)
    assert excerpts.shortened("a\u0323\u0301" * 6000, 10).startswith("ạ́")


# What was typed into a search box
@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "pri", '"a b"', "-c", "is:open", "status:x"]), min_size=1, max_size=9)
)
def test_what_is_repeated_counts_once(typed):
    once = parse(" ".join(typed))
    again = parse(" ".join([*typed, *typed]))
    assert set(again.terms) == set(once.terms)
    assert len(again.terms) == len(set(again.terms))
    assert set(again.filters) == set(once.filters)
    match = match_for(again.terms, FOR_STAFF)
    assert len(set(match.all)) == len(match.all)
    assert len(set(match.none)) == len(match.none)


@pytest.mark.parametrize(
    "typed",
    ["pri " * 50, "PRI Pri prI pri", '"a b" ' * 30, "-a " * 60, "is:open " * 25, "is:open IS:Open is:OPEN"],
)
def test_fifty_times_the_same_is_once_the_same(typed):
    query = parse(typed)
    assert len(query.terms) + len(query.filters) == 1


def test_the_last_word_stays_the_one_that_is_only_begun():
    assert [term.text for term in parse("printer jam printer").terms] == ["jam", "printer"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b.c", '"d e f"', "-g", "is:open", "x:y", "東京", "h", "ab1"])).map(
        " ".join
    )
    | st.text()
)
def test_what_goes_to_the_database_has_an_end(typed):
    query = parse(typed)
    assert sum(len(words_of(term.text)) for term in query.terms) <= MOST_WORDS
    assert len(query.filters) <= MOST_FILTERS
    match = match_for(query.terms, FOR_STAFF)
    runs = [run for runs in match.all for run in runs] + list(match.none)
    assert len(runs) <= 2 * len(FOR_STAFF) * MOST_WORDS
    assert len(sqlite.query(match)) + len(postgresql.query(match)) < 20_000


@pytest.mark.parametrize(
    ("typed", "is_cut"),
    [
        ("printer", False),
        ("pri " * 49, False),
        ("pri " * 51, True),
        (" ".join(f"{number:x}" for number in range(MOST_WORDS)), False),
        (" ".join(f"{number:x}" for number in range(MOST_WORDS + 1)), True),
        ('"' + " ".join(f"{number:x}" for number in range(MOST_WORDS + 1)) + '"', True),
        (" ".join(f"before:-{number}d" for number in range(1, MOST_FILTERS + 1)), False),
        (" ".join(f"before:-{number}d" for number in range(1, MOST_FILTERS + 2)), True),
    ],
)
def test_a_search_knows_that_it_is_cut(typed, is_cut):
    assert parse(typed).is_cut == is_cut


def test_a_phrase_is_cut_within():
    (term,) = parse('"' + "a " * 90 + '"').terms
    assert term.text.split() == ["a"] * MOST_WORDS
    assert term.is_phrase


# What somebody may have meant
ALIKE = st.text(alphabet="ab", min_size=30, max_size=64)


@settings(deadline=None)
@given(ALIKE, st.lists(ALIKE, max_size=30))
def test_few_words_are_compared_letter_by_letter(text, offered):
    compared = []

    class Counted(likeness.SequenceMatcher):
        def ratio(self):
            compared.append(len(self.a) * len(self.b))
            return super().ratio()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(likeness, "SequenceMatcher", Counted)
        likeness.nearest(text, offered * 40)
    assert len(compared) <= likeness.MOST_COMPARED
    assert max(compared, default=0) <= likeness.LONGEST**2


@settings(deadline=None)
@given(st.text(alphabet="abcd", max_size=12), st.lists(st.text(alphabet="abcd", min_size=1, max_size=12)))
def test_the_nearest_is_that_of_difflib(text, offered):
    close = get_close_matches(text, offered, n=1)
    assert likeness.nearest(text, offered) == next(iter(close), None)


# A file
def test_header_of_thousands_of_columns_is_read_once():
    def columns(size: int) -> list[str]:
        return ["subject", *(f"column {number}" for number in range(size))]

    table = CsvTable(path=None)
    assert is_linear(table._columns, columns, 500)
