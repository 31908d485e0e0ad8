"""Splits a text into words, in the same way for tickets and for queries, on every database.

Case, accents and punctuation are ignored: "Straße", "STRASSE" and "strasse" are the same word. In scripts
without spaces (Chinese, Japanese, Thai ...) each letter is a word, so that a part of a word is found too.
"""

import re
import unicodedata

LONGEST_WORD = 64
LONGEST_WRITTEN = 4 * LONGEST_WORD  # characters of one word before folding; combining accents count too
WORD = re.compile(r"[^\W_]+")
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
LETTER_OR_WORD = re.compile(rf"(?=[^\W_])[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])+")
# A word before folding: combining accents may follow their letters.
WRITTEN = re.compile(
    rf"(?=[^\W_])[{UNSPACED}]|(?:(?![{UNSPACED}])[^\W_])(?:(?![{UNSPACED}])(?:[^\W_]|[\u0300-\u036f]))*"
)
# Letters that Unicode does not decompose.
PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
# The iota subscript is a combining accent, but becomes a letter when folded, so it is kept.
IOTA = str.maketrans({"\u0345": "ι"})
LETTERS_KEPT = 5_000  # the size of the cache of _Bare


class _Bare(dict):
    """A table for str.translate() that removes accents. Fills itself as a cache."""

    def __missing__(self, code: int) -> int | None:
        kept = None if unicodedata.category(chr(code))[0] == "M" else code
        if len(self) < LETTERS_KEPT:
            self[code] = kept
        return kept


BARE = _Bare()


def fold(text: str) -> str:
    """`text` in lower case without accents.

    Removes accents before normalize(), which needs quadratic time for many accents on one letter.
    """
    if text.isascii():
        return text.lower()
    text = text.translate(IOTA).translate(BARE)
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", apart.translate(BARE)).translate(PLAIN)


def words_of(text: str) -> list[str]:
    """The folded words of `text`, in order."""
    folded = fold(text)
    found = WORD.findall(folded) if folded.isascii() else LETTER_OR_WORD.findall(folded)
    return [word[:LONGEST_WORD] for word in found]
