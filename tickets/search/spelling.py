"""What somebody who found nothing may have meant: the nearest words of subjects that find something."""

from django.db.models import F
from django.db.models.functions import Abs, Length

from tickets import likeness
from tickets.models import SubjectWord
from tickets.querysets import TicketQuerySet
from tickets.search.documents import SHORTEST_SUGGESTION
from tickets.search.finding import Search
from tickets.search.query import PIECE
from tickets.search.words import words_of

LIKENESS = 0.7
OTHER_LENGTH = 2  # letters more or fewer
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
    if user.is_staff:
        offered = _words_like(word)
    else:
        subjects = tickets.newest_change_first().values_list("subject", flat=True)[:SUBJECTS_READ]
        words = {one for subject in subjects for one in words_of(subject)}
        near = (one for one in words if one[0] == word[0] and abs(len(one) - len(word)) <= OTHER_LENGTH)
        offered = sorted(near, key=lambda one: (abs(len(one) - len(word)), one))
    return likeness.nearest(word, offered, cutoff=LIKENESS)


def _words_like(word: str):
    """Of all subjects; those of about the same length first."""
    length = len(word)
    words = SubjectWord.objects.filter(word__startswith=word[0]).annotate(length=Length("word"))
    words = words.filter(length__range=(length - OTHER_LENGTH, length + OTHER_LENGTH))
    words = words.order_by(Abs(F("length") - length), "word").values_list("word", flat=True)
    return words[: likeness.MOST_OFFERED]
