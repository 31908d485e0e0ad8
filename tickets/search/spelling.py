"""Suggests another spelling for a query without results, from the words of subjects."""

from django.db.models import F
from django.db.models.functions import Abs, Length

from helpdesk.letters import words_of
from helpdesk.readings import all_words
from tickets.models import SubjectWord
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.rules import likeness
from tickets.search.documents import SHORTEST_SUGGESTION
from tickets.search.finding import Search
from tickets.search.query import PIECE

LIKENESS = 0.7
OTHER_LENGTH = 2  # the maximum difference in length, in letters
MOST_WORDS = 4
SUBJECTS_READ = 500


def suggestion(asked: Search, tickets: TicketQuerySet) -> str | None:
    """The query with corrected words, if it finds some of `tickets`, which `user` may see; else None.

    Requesters get suggestions only from the words of their own tickets.
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
    """The most similar word with the same first letter and about the same length."""
    if user.is_staff:
        offered = _words_like(word)
    else:
        subjects = tickets.newest_public_change_first().values_list("subject", flat=True)[:SUBJECTS_READ]
        words = {one for subject in subjects for one in all_words(subject)}
        near = (one for one in words if one[0] == word[0] and abs(len(one) - len(word)) <= OTHER_LENGTH)
        offered = sorted(near, key=lambda one: (abs(len(one) - len(word)), one))
    return likeness.nearest(word, offered, cutoff=LIKENESS)


def _words_like(word: str):
    """Words of all subjects, ordered by difference in length."""
    length = len(word)
    words = SubjectWord.objects.filter(word__startswith=word[0]).annotate(length=Length("word"))
    words = words.filter(length__range=(length - OTHER_LENGTH, length + OTHER_LENGTH))
    words = words.order_by(Abs(F("length") - length), "word").values_list("word", flat=True)
    return words[: likeness.MOST_OFFERED]
