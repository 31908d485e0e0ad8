"""What is typed is taken apart: words, phrases, filters. Nothing that can be typed is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.letters import LONGEST_WORD, fold, words_of
from tickets.search import postgresql, sqlite
from tickets.search.asking import match_for
from tickets.search.matching import FOR_STAFF, INTERNAL, REQUESTER, SUBJECT, Words
from tickets.search.query import MAX_LENGTH, Query, parse
from tickets.search.terms import Asked, Term

PIECES = st.sampled_from(
    ['"', "-", ":", "#", " ", "status", "is:open", "x", "é", "ß", "東", "\0", "*", "(", "'", "\\"]
)
TYPED = st.text(max_size=300) | st.lists(PIECES, max_size=40).map("".join)


def word(text: str, **more) -> Query:
    return Query(terms=(Term(text, **more),))


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", Query()),
        ("   ", Query()),
        ("printer", word("printer")),
        ("-printer", word("printer", is_excluded=True)),
        ('"paper jam"', word("paper jam", is_phrase=True)),
        ('-"paper jam"', word("paper jam", is_phrase=True, is_excluded=True)),
        ('"paper jam', word("paper jam", is_phrase=True)),
        ("wi-fi", word("wi-fi")),
        ("status:waiting", Query(filters=(Asked("status", "waiting"),))),
        ("STATUS:Waiting", Query(filters=(Asked("status", "Waiting"),))),
        ("-status:waiting", Query(filters=(Asked("status", "waiting", is_excluded=True),))),
        ('category:"Email Support"', Query(filters=(Asked("category", "Email Support"),))),
        ("status:", Query(filters=(Asked("status", ""),))),
        ("stauts:waiting", Query(filters=(Asked("stauts", "waiting"),))),
        ("after:-7d", Query(filters=(Asked("after", "-7d"),))),
        ("https://example.com", word("https://example.com")),
        ("error:1234", word("error:1234")),
        ("1042", Query(terms=(Term("1042"),), number=1042)),
        ("#1042", Query(terms=(Term("#1042"),), number=1042, is_jump=True)),
        ("#1042 x", Query(terms=(Term("#1042"), Term("x")))),
    ],
)
def test_parse(typed, query):
    assert parse(typed) == query


@given(TYPED)
def test_anything_can_be_typed(typed):
    query = parse(typed)
    assert query == parse(typed[:MAX_LENGTH])
    for asked in query.filters:
        assert asked.name.isascii()
    match = match_for(query.terms, FOR_STAFF)
    for text in (sqlite.query(match), postgresql.query(match)):
        assert not set(text) & set("\0\\")


@given(st.text(max_size=500))
def test_words_are_letters_and_digits_and_folding_is_final(text):
    for one in words_of(text):
        assert one.isalnum()
        assert 0 < len(one) <= LONGEST_WORD
        assert not set(one) & {SUBJECT, INTERNAL, REQUESTER}
        assert words_of(one) == [one]
    assert fold(fold(text)) == fold(text)


@given(
    st.lists(st.lists(st.sampled_from(["a", "bb", "東"]), max_size=9).map(tuple), max_size=5),
    st.integers(0, 200),
)
def test_what_is_cut_fits_and_is_a_beginning(texts, most):
    words = Words(tuple(texts))
    cut = words.cut(most)
    assert cut.size <= most or cut == Words()
    whole = [one for text in words.texts for one in text]
    kept = [one for text in cut.texts for one in text]
    assert whole[: len(kept)] == kept
