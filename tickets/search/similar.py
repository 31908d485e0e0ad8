"""Finds tickets that are similar to a text.

First finds the newest tickets that contain one of the rarest words of the text. Then scores those that share
the most of these words by all words of the text. `manage.py measure_similar` measures how often the
similar tickets predict the right category.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from tickets.models import SearchDocument
from tickets.search.database import database
from tickets.search.frequencies import LARGEST, Frequencies, kept
from tickets.search.words import stems_of

LONGEST_READ = 4_000  # characters of a description; later ones say little about its topic
MOST_WORDS = 60  # the rarest words of a text, which are compared
RARE_WORDS = 16  # the words by which tickets are found
NEAREST = 40
NO_END = 2**63 - 1


@dataclass(frozen=True)
class Effort:
    """How many documents a search reads: up to `visited` in total, the newest `hits` for each word.
    `scored` of them are compared by all words.
    """

    visited: int
    hits: int
    scored: int


# The database's memory does not hold more documents than MANY. Then reading one takes ten times as long.
MANY = 200_000
OF_FEW, OF_MANY = Effort(4_000, 80, 300), Effort(800, 60, 100)


@dataclass(frozen=True)
class SimilarTicket:
    """The number of a ticket, and its similarity to the text: about 1 if they share all words."""

    number: int
    score: float


def words_of_ticket(subject: str, description: str, *, known: Frequencies | None = None) -> list[str]:
    """Returns the words that similar tickets are found by, the rarest first."""
    known = known or kept.get()
    words = dict.fromkeys(stems_of(f"{subject}\n{description[:LONGEST_READ]}"))
    return sorted(words, key=lambda word: (known.share(word), -len(word), word))[:MOST_WORDS]


def nearest(
    words: Sequence[str], *, before: int = NO_END, known: Frequencies | None = None
) -> list[SimilarTicket]:
    """Returns the tickets with numbers below `before` that are most similar, the most similar first.

    `words` come from words_of_ticket(). The caller filters the tickets by visible_to().
    """
    if not words:
        return []
    known = known or kept.get()
    effort = OF_FEW if known.total <= MANY else OF_MANY
    rare = [(word, known.share(word) * known.total) for word in words[:RARE_WORDS]]
    hits = database().hits(rare, before=before, largest=LARGEST, most=effort.hits, visited=effort.visited)
    weights = [known.weight(word) for word in words[:RARE_WORDS]]
    found: defaultdict[int, float] = defaultdict(float)
    sizes = {}
    for place, number, size in hits:
        found[number] += weights[place]
        sizes[number] = size
    likely = sorted(found, key=lambda number: (-found[number] / sqrt(sizes[number] + 1), -number))
    if not likely and any(word in known.seen for word in words):  # every word is too common to search by
        documents = SearchDocument.objects.filter(pk__lt=before, public_size__lt=LARGEST).order_by("-pk")
        likely = list(documents.values_list("pk", flat=True)[: effort.scored])
    return by_score(words, likely[: effort.scored], known)[:NEAREST]


def by_score(words: Sequence[str], numbers: Iterable[int], known: Frequencies) -> list[SimilarTicket]:
    """Returns those of the tickets `numbers` that share words with the text, the most similar first.

    The score is the share of the text's words that the ticket contains, weighted by rarity. A short ticket
    scores higher than a long one with the same shared words.
    """
    weights = [known.weight(word) for word in words]
    whole = sum(weights)
    found = []
    for number, count, places in database().shared(list(numbers), list(words)):
        if places:
            share = sum(map(weights.__getitem__, places)) / whole
            found.append(SimilarTicket(number, share * sqrt(len(words) / count)))
    return sorted(found, key=lambda one: (-one.score, -one.number))
