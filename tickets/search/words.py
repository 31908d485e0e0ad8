"""What counts as a word: the one answer for what is filed and for what is searched, on every database.

Capitals, accents and signs do not count: "Straße", "STRASSE" and "strasse" are one word. Writing without
spaces (Chinese, Japanese, Thai ...) is taken letter by letter, so a part of it is found too.
"""

import re
import unicodedata
from functools import cache, lru_cache

import snowballstemmer
from django.conf import settings

LONGEST_WORD = 64
MOST_WORDS_OF_NAME = 8
NO_LANGUAGE = "simple"
WORD = re.compile(r"[^\W_]+")
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
LETTER_OR_WORD = re.compile(rf"(?=[^\W_])[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])+")
# A word as it is written, before it is folded: accents may stand behind their letters.
WRITTEN = re.compile(
    rf"(?=[^\W_])[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])(?:(?![{UNSPACED}])(?:[^\W_]|[\u0300-\u036f]))*"
)
# Letters that Unicode does not take apart.
PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


# An accent that is a letter of its own among small letters, so it stays: the iota below other Greek letters.
IOTA = str.maketrans({"\u0345": "ι"})
LETTERS_KEPT = 5_000  # of which it is remembered whether they are accents


class _Bare(dict):
    """Takes accents away in str.translate()."""

    def __missing__(self, code: int) -> int | None:
        kept = None if unicodedata.category(chr(code))[0] == "M" else code
        if len(self) < LETTERS_KEPT:
            self[code] = kept
        return kept


BARE = _Bare()


def fold(text: str) -> str:
    """`text` in small letters without accents.

    Accents go first: normalize() sorts those of one letter in a time that grows with their square.
    """
    if text.isascii():
        return text.lower()
    text = text.translate(IOTA).translate(BARE)
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", apart.translate(BARE)).translate(PLAIN)


def words_of(text: str) -> list[str]:
    """The words of `text`, folded, in their order."""
    folded = fold(text)
    found = WORD.findall(folded) if folded.isascii() else LETTER_OR_WORD.findall(folded)
    return [word[:LONGEST_WORD] for word in found]


def words_of_name(typed: str) -> list[str]:
    """The first words of a name that somebody typed, each once."""
    return list(dict.fromkeys(words_of(typed)))[:MOST_WORDS_OF_NAME]


def name_begins(typed: list[str], words: list[str]) -> bool:
    """Whether `words` begin with each of words_of_name()."""
    return bool(typed) and all(any(word.startswith(one) for word in words) for one in typed)


def stem(word: str) -> str:
    """The part of `word` that its forms share, in the language of SEARCH_LANGUAGE."""
    language = settings.SEARCH_LANGUAGE
    return word if language == NO_LANGUAGE or not word.isalpha() else _stem(word, language)


def stems_of(text: str) -> list[str]:
    return [stem(word) for word in words_of(text)]


@lru_cache(maxsize=50_000)
def _stem(word: str, language: str) -> str:
    return _stemmer(language).stemWord(word)


@cache
def _stemmer(language: str):
    return snowballstemmer.stemmer(language)
