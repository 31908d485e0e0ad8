"""Stems words in the language of SEARCH_LANGUAGE."""

from collections.abc import Iterable
from functools import cache, lru_cache

import snowballstemmer
from django.conf import settings

from helpdesk.letters import words_of
from helpdesk.readings import other_readings

NO_LANGUAGE = "simple"


def stem(word: str) -> str:
    """The stem of `word`."""
    language = settings.SEARCH_LANGUAGE
    return word if language == NO_LANGUAGE or not word.isalpha() else _stem(word, language)


def stems_of(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in words_of(text))


def stems_of_others(text: str) -> Iterable[tuple[str, ...]]:
    """The stems of each other spelling of `text` (helpdesk.readings)."""
    return [tuple(stem(word) for word in words) for words in other_readings(text)]


@lru_cache(maxsize=50_000)
def _stem(word: str, language: str) -> str:
    return _stemmer(language).stemWord(word)


@cache
def _stemmer(language: str):
    return snowballstemmer.stemmer(language)
