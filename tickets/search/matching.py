"""The format of search documents and of matches. `postgresql` and `sqlite` translate it for their databases.

A document is one list of words. A mark before a word tells which text it belongs to, so that one index serves
everybody, and internal words never influence the results of requesters.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

PUBLIC = ""  # subject, description, replies
SUBJECT = "="  # the words of the subject again
INTERNAL = "_"  # notes, file names
REQUESTER = "@"  # name, email address and department of the requester
FOR_STAFF = (PUBLIC, INTERNAL, REQUESTER)
FOR_ALL = (PUBLIC,)

# Limits in bytes, with PostgreSQL's overhead per word, because it accepts one MB at most. Words above the
# limit are not found. Internal words have their own limit, so that they take no space from public ones.
MOST_PUBLIC = 600_000
MOST_INTERNAL = 250_000
BESIDE_A_WORD = 6
GAP = "_"  # separates two texts, so that no phrase matches across them


@dataclass(frozen=True)
class Words:
    """The words of texts by mark, ready to be stored."""

    texts: tuple[tuple[str, ...], ...] = ()

    @property
    def size(self) -> int:
        return sum(len(word.encode()) + BESIDE_A_WORD for text in self.texts for word in text)

    def cut(self, most: int) -> "Words":
        """The first words that fit into `most` bytes."""
        if self.size <= most:
            return self
        kept = []
        for text in self.texts:
            room = []
            for word in text:
                most -= len(word.encode()) + BESIDE_A_WORD
                if most < 0:
                    break
                room.append(word)
            kept.append(tuple(room))
            if most < 0:
                break
        return Words(tuple(kept))

    def __add__(self, other: "Words") -> "Words":
        return Words(self.texts + other.texts)


def marked(words: Iterable[str], mark: str) -> tuple[str, ...]:
    return tuple(mark + word for word in words)


@dataclass(frozen=True)
class Run:
    """Adjacent words in this order. The last one may be a prefix."""

    words: tuple[str, ...]
    is_begun: bool = False

    def marked(self, mark: str) -> "Run":
        return replace(self, words=marked(self.words, mark))


@dataclass(frozen=True)
class Match:
    """Matches a document with a run of each of `all`, and with no run of `none`."""

    all: tuple[tuple[Run, ...], ...] = ()
    none: tuple[Run, ...] = ()
