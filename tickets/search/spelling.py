"""What somebody who found nothing may have meant: the nearest words of subjects that find something."""

import re
from difflib import get_close_matches

from tickets.models import SubjectWord
from tickets.querysets import TicketQuerySet
from tickets.search.documents import SHORTEST_SUGGESTION
from tickets.search.finding import Search
from tickets.search.query import PIECE
from tickets.search.words import words_of

LIKENESS = 0.7
MOST_WORDS = 4
SUBJECTS_READ = 500


def suggestion(asked: Search, tickets: TicketQuerySet) -> str | None:
    """What was typed with other words, where that finds some of `tickets`, which `user` may see; else None.

    Others than staff are told words of their own tickets alone.
    """
    words = [term.text for term in asked.query.terms if not term.is_excluded and not term.is_phrase]
    words = [word for word in words if len(word) >= SHORTEST_SUGGESTION and len(words_of(word)) == 1]
    meant = {}
    for word in words[:MOST_WORDS]:
        if not Search(word, user=asked.user).filter(tickets).exists():
            meant[word] = _nearest(words_of(word)[0], asked.user, tickets)
    if not meant or not all(meant.values()):
        return None
    typed = PIECE.sub(lambda piece: meant.get(piece[0], piece[0]), asked.typed.strip())
    return typed if Search(typed, user=asked.user).filter(tickets).exists() else None


def _nearest(word: str, user, tickets: TicketQuerySet) -> str | None:
    """Of the words that begin with the same letter and are about as long."""
    likely = re.compile(rf"{re.escape(word[0])}.{{{max(0, len(word) - 3)},{len(word) + 1}}}")
    if user.is_staff:
        offered = (
            SubjectWord.objects.filter(word__startswith=word[0]).values_list("word", flat=True).iterator()
        )
    else:
        subjects = tickets.newest_change_first().values_list("subject", flat=True)[:SUBJECTS_READ]
        offered = sorted({one for subject in subjects for one in words_of(subject)})
    near = [one for one in offered if likely.fullmatch(one)]
    return next(iter(get_close_matches(word, near, n=1, cutoff=LIKENESS)), None)
