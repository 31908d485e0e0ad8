"""How much of each text a page shows: all of it, or only the beginnings if there is too much. Pure."""

import re
from collections.abc import Iterable

from django.utils.text import Truncator

# Every link contains one of these. Most texts contain none, and checking each word takes long.
MAY_HOLD_LINK = re.compile(r"://|@|\.\w")
UNWEIGHED = 50_000  # characters of a page that take no noticeable time, whatever they are
MOST = 150_000  # effort for the texts of one page
BEGINNING, LAST_WORD = 500, 100  # characters of a shortened text, and where its last word ends


def effort(text: str) -> int:
    """Estimates how long `text` takes to be rendered as HTML, in half microseconds.

    Lines cost time, and so does each link.
    """
    links = 0
    if MAY_HOLD_LINK.search(text):
        links = sum(1 for word in set(text.split()) if MAY_HOLD_LINK.search(word))
    return len(text) // 25 + 4 * len(text.splitlines()) + 50 * links


def beginnings(texts: Iterable[str]) -> list[str | None]:
    """Returns for each text its beginning if it must be shortened; None if it is shown whole.

    The most important texts come first: the first two are always whole, others as long as there is room.
    """
    found, left = [], MOST
    for number, text in enumerate(texts):
        if left >= 0:
            left -= effort(text)
        is_whole = number < 2 or left >= 0 or len(text) <= BEGINNING
        found.append(None if is_whole else beginning(text))
    return found


def beginning(text: str) -> str:
    end = max(text.rfind(sign, BEGINNING - LAST_WORD, BEGINNING) for sign in " \n")
    return f"{text[: end if end > 0 else BEGINNING].rstrip()} …"


def shortened(text: str, length: int) -> str:
    """Works like Django's truncatechars, which would first sort all accents of the text, however
    long it is.
    """
    if len(text) <= length and text.isascii():  # most texts
        return text
    return Truncator(text[: 10 * length]).chars(length)
