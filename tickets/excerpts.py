"""How much of each text a page shows: all, but of many long texts only the beginnings; pure."""

import re
from collections.abc import Iterable

from django.utils.text import Truncator

# Every link has one of these; most texts have none, and looking at each word takes long.
MAY_HOLD_LINK = re.compile(r"://|@|\.\w")
UNWEIGHED = 50_000  # characters of a page that take no time, whatever they are
MOST = 150_000  # effort for the texts of one page
BEGINNING, LAST_WORD = 500, 100  # characters that are shown of a text, and among which a word may end it


def effort(text: str) -> int:
    """How long `text` takes to be made HTML, in half microseconds: lines cost, and each link once."""
    links = 0
    if MAY_HOLD_LINK.search(text):
        links = sum(1 for word in set(text.split()) if MAY_HOLD_LINK.search(word))
    return len(text) // 25 + 4 * len(text.splitlines()) + 50 * links


def beginnings(texts: Iterable[str]) -> list[str | None]:
    """Of each text its beginning where it is too much to be shown; None where it is shown whole.

    What matters most comes first: the first two are whole, and so are others until there is no room for one.
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
    """As Django's truncatechars, which first sorts all accents of the text, however long it is."""
    return Truncator(text[: 10 * length]).chars(length)
