"""What a document holds and what it is asked, in the words of PostgreSQL (tsvector) and of SQLite (FTS5).

A document is one list of words. A mark in front of a word tells whose it is, so that one index answers
everybody and what is internal never weighs in what others find.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

PUBLIC = ""  # subject, description, replies
SUBJECT = "="  # the words of the subject once more
INTERNAL = "_"  # notes, names of files
REQUESTER = "@"  # name, mail address, department of who filed it
MARKS = SUBJECT + INTERNAL + REQUESTER
FOR_STAFF = (PUBLIC, INTERNAL, REQUESTER)
FOR_ALL = (PUBLIC,)

# PostgreSQL takes one MB at most. What is over stays unfound, and what is internal takes nothing from
# what is public. In bytes, with what PostgreSQL adds to each word.
MOST_PUBLIC = 600_000
MOST_INTERNAL = 250_000
BESIDE_A_WORD = 6
GAP = "_"  # stands between two texts, so that no phrase reaches from one into the next


@dataclass(frozen=True)
class Words:
    """The words of texts, each a list; ready to be kept."""

    texts: tuple[tuple[str, ...], ...] = ()

    @property
    def size(self) -> int:
        return sum(len(word.encode()) + BESIDE_A_WORD for text in self.texts for word in text)

    def cut(self, most: int) -> "Words":
        """As many of the words, from the first on, as fit into `most` bytes."""
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

    def for_sqlite(self) -> str:
        return "".join(f" {GAP} {' '.join(text)}" for text in self.texts if text)

    def for_postgresql(self) -> str:
        """A tsvector as text. It begins with a gap too: it may be put behind another one."""
        places: dict[str, list[str]] = {}
        place = 0
        for text in self.texts:
            place += 1
            for word in text:
                place += 1
                places.setdefault(word, []).append(str(min(place, 16_383)))
        # More places than these PostgreSQL does not keep.
        return " ".join(f"'{word}':{','.join(at[:255])}" for word, at in places.items())


def marked(words: Iterable[str], mark: str) -> tuple[str, ...]:
    return tuple(mark + word for word in words)


@dataclass(frozen=True)
class Run:
    """Words that stand side by side, in this order. The last one may be only the beginning of a word."""

    words: tuple[str, ...]
    is_begun: bool = False

    def marked(self, mark: str) -> "Run":
        return replace(self, words=marked(self.words, mark))

    def for_sqlite(self) -> str:
        return f'"{" ".join(self.words)}"' + (" *" if self.is_begun else "")

    def for_postgresql(self) -> str:
        return " <-> ".join(f"'{word}'" for word in self.words) + (":*" if self.is_begun else "")


@dataclass(frozen=True)
class Match:
    """Holds one run of each of `all`, and none of the runs of `none`."""

    all: tuple[tuple[Run, ...], ...] = ()
    none: tuple[Run, ...] = field(default=())

    def for_sqlite(self) -> str:
        wanted = " AND ".join(f"({' OR '.join(run.for_sqlite() for run in runs)})" for runs in self.all)
        return (
            f"({wanted}) NOT ({' OR '.join(run.for_sqlite() for run in self.none)})" if self.none else wanted
        )

    def for_postgresql(self) -> str:
        parts = [f"({' | '.join(f'({run.for_postgresql()})' for run in runs)})" for runs in self.all]
        return " & ".join([*parts, *(f"!({run.for_postgresql()})" for run in self.none)])
