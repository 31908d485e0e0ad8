"""How common a word is, by a sample of all documents. Each process keeps that for an hour."""

from dataclasses import dataclass
from math import log
from time import monotonic

from tickets.search.database import database

LARGEST = 20_000  # bytes of a document: a longer one holds words of everything
SAMPLE = 2_000  # documents, evenly spread: a word of a thousandth of all stands in two
FEW = 200  # so few documents are read anew each time: where a helpdesk begins, an hour is long
KEPT = 3600  # seconds


@dataclass(frozen=True)
class Frequencies:
    """`seen`: in how many of `sampled` documents a word stands, where in more than one; of about `total`."""

    total: int
    sampled: int
    seen: dict[str, int]

    def share(self, word: str) -> float:
        """Of all documents that hold `word`. One that is not seen counts as seen once."""
        return self.seen.get(word, 1) / max(self.sampled, 1)

    def weight(self, word: str) -> float:
        """The rarer the word, the more: its inverse document frequency, smoothed for few documents."""
        return log(1 + (self.sampled + 1) / (self.seen.get(word, 1) + 0.5))


class Kept:
    """The frequencies that this process read last. Django's cache would copy ten thousand words each time."""

    def __init__(self):
        self.forget()

    def get(self) -> Frequencies:
        if self.frequencies is None or monotonic() > self.until:
            found = _read()
            if found.sampled < FEW:
                return found
            self.frequencies, self.until = found, monotonic() + KEPT
        return self.frequencies

    def forget(self) -> None:
        self.frequencies, self.until = None, 0.0


def _read() -> Frequencies:
    return Frequencies(*database().sampled(SAMPLE, largest=LARGEST))


kept = Kept()
