"""Finds rows of small tables by prefixes of their names: statuses, categories, people."""

from collections.abc import Iterable

from helpdesk.letters import words_of
from helpdesk.readings import other_readings

MOST_WORDS = 8  # of a typed name


def named(typed: str, rows: Iterable[tuple]) -> list:
    """The rows with a word for each prefix in `typed`. `rows` are pairs (row, all_words() of its name)."""
    first = list(dict.fromkeys(one for one in typed.split() if words_of(one)))[:MOST_WORDS]
    asked = [[words_of(one), *other_readings(one, is_asked=True)] for one in first]
    return [row for row, words in rows if asked and all(_has_one(readings, words) for readings in asked)]


def _has_one(readings: list[list[str]], words: list[str]) -> bool:
    """Whether every word of one spelling is a prefix of one of `words`."""
    return any(all(any(word.startswith(one) for word in words) for one in reading) for reading in readings)
