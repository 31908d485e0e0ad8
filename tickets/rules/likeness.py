"""Finds the word that a misspelt word was probably meant to be. Pure.

The time of difflib grows with the product of both lengths, and more. So only the beginnings of words are
compared, and letter by letter only the few words that share most letters.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import islice

LONGEST = 32  # letters of a word that are compared
MOST_OFFERED, MOST_COMPARED = 2000, 50  # words that are compared by counts of letters, and letter by letter


def nearest(text: str, offered: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Returns the one of `offered` that is most similar to `text`; None if none is similar enough.

    `cutoff` is the minimum similarity: 1 means equal, 0 means no common letter.
    """
    matcher = SequenceMatcher(b=text[:LONGEST])
    likely = []
    for one in islice(dict.fromkeys(offered), MOST_OFFERED):
        matcher.set_seq1(one[:LONGEST])
        if matcher.real_quick_ratio() >= cutoff and (most := matcher.quick_ratio()) >= cutoff:
            likely.append((most, one))
    best = (cutoff, "")
    for most, one in sorted(likely, reverse=True)[:MOST_COMPARED]:
        if most < best[0]:
            break
        matcher.set_seq1(one[:LONGEST])
        best = max(best, (matcher.ratio(), one))
    return best[1] or None
