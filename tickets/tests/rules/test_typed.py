"""What somebody typed as blocks of words, columns and quotations."""

import pytest

from tickets.rules.typed import blocks, isolated, unquoted


def kinds(text: str, *, has_quotes: bool = True) -> list[tuple[str, int]]:
    """(kind, number of lines) of each block."""
    return [(kind, len(lines)) for kind, lines in blocks(text, has_quotes=has_quotes)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\n", []),
        ("one\n\ntwo", [("words", 3)]),
        ("\n  \none\n \n", [("words", 1)]),
        ("one   gap", [("words", 1)]),
        ("one   gap\ntwo   gaps", [("columns", 2)]),
        ("one  gap\ntwo  gaps", [("columns", 2)]),
        ("End.  Then\nEnd!  Then\nEnd?  Then", [("words", 3)]),
        ("End.   Then\nEnd!   Then", [("columns", 2)]),
        ("one\tgap\nwords\ntwo\tgaps", [("words", 3)]),
        ("    one   gap\nx   y", [("columns", 2)]),
        ("x   y\n    code", [("columns", 2)]),
        ("words\n    code\n\nwords", [("words", 1), ("columns", 2), ("words", 1)]),
        ("words\n\tcode", [("words", 1), ("columns", 1)]),
        ("words\n   three spaces", [("words", 2)]),
        ("words\n  \ttab", [("words", 1), ("columns", 1)]),
        ("| a | b |\n+---+---+", [("columns", 2)]),
        ("| a | b |\nwords", [("words", 2)]),
        ("|\n|", [("words", 2)]),
        ("||\n++", [("columns", 2)]),
        ("a | b |\nc | d |", [("words", 2)]),
        ("| a\n| b", [("words", 2)]),
        ("> quoted\n\nanswer", [("quote", 2), ("words", 1)]),
        (">quoted\n>   a   b", [("quote", 2)]),
    ],
)
def test_blocks(text, expected):
    assert kinds(text) == expected


def test_typed_on_a_page_a_greater_sign_quotes_nothing():
    assert kinds("> 5 V\n> 6 V", has_quotes=False) == [("words", 2)]


def test_lines_stay_as_they_are():
    text = "  one\n\n    code\nend "
    assert [line for _kind, lines in blocks(text, has_quotes=True) for line in lines] == text.split("\n")


@pytest.mark.parametrize(
    ("line", "bare"), [("> a", "a"), (">> a", "a"), ("> > a > b", "a > b"), (">  a", " a")]
)
def test_marks_of_a_quotation_go(line, bare):
    assert unquoted(line) == bare


@pytest.mark.parametrize("words", ["שלום", "مرحبا", "a\u202eb", "a\u2066b"])
def test_words_that_turn_a_direction_are_isolated(words):
    assert isolated(words) == f"\u2068{words}\u2069"


def test_other_words_are_not():
    assert isolated("Grüße, 世界") == "Grüße, 世界"
