"""Misspelt words, and variables in texts that staff write."""

import pytest

from tickets.rules import likeness, variables
from tickets.rules.likeness import nearest

KNOWN = ("requester", "number", "subject")


def test_nearest_is_the_word_with_most_letters_in_common():
    assert nearest("pritner", ["scanner", "printer", "painter"]) == "printer"
    assert nearest("printer", ["painter", "printer"]) == "printer"


@pytest.mark.parametrize("offered", [[], ["mouse"], ["zzzzzzz"]])
def test_nothing_is_nearest_where_nothing_is_alike(offered):
    assert nearest("printer", offered) is None


def test_cutoff_says_how_alike():
    assert nearest("abcd", ["abxy"], cutoff=0.5) == "abxy"
    assert nearest("abcd", ["abxy"]) is None
    assert nearest("abcde", ["abcxy"]) == "abcxy"  # exactly 0.6


def test_most_alike_wins_though_another_shares_more_letters():
    """All letters of the first are shared, in another order."""
    assert nearest("abcdef", ["fedcba", "abcdxy"]) == "abcdxy"


def test_only_so_many_letters_are_compared():
    same = "a" * likeness.LONGEST
    assert likeness.LONGEST == 32
    assert nearest(same + "bbbb", ["x" * 40, same + "cccc"], cutoff=1) == same + "cccc"
    assert nearest("a" * 31 + "b", ["a" * 31 + "c"], cutoff=1) is None


def test_only_so_many_words_are_looked_at():
    others = [f"{number:07}" for number in range(likeness.MOST_OFFERED)]
    assert nearest("printer", [*others[1:], "printer"]) == "printer"
    assert nearest("printer", [*others, "printer"]) is None


def test_variable_is_filled_and_another_stays():
    values = {"requester": "Alice", "number": "{requester}"}
    assert (
        variables.fill("Dear {requester}, #{number}: {other}", values) == "Dear Alice, #{requester}: {other}"
    )


def test_unknown_variables_are_named_once_in_order():
    assert variables.unknown("{b} {number} {a} {b}", KNOWN) == ["b", "a"]


def test_variable_that_was_meant():
    assert variables.nearest("requestor", KNOWN) == "requester"
    assert variables.nearest("zzz", KNOWN) == ""
