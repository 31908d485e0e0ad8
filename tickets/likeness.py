"""What a misspelt word was probably meant to be; pure.

difflib takes a time that grows with the product of both lengths, and more. So it compares only the beginnings
of words, and letter by letter only the few that share most letters.
"""

from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import islice

LONGEST = 32  # letters of a word that are compared
MOST_OFFERED, MOST_COMPARED = 2000, 50  # words that are counted through, and compared letter by letter


def nearest(text: str, offered: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The one of `offered` that is most like `text`; None where none is.

    `cutoff` is how alike they must be: 1 is equal, 0 is without a common letter.
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
