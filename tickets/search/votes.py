"""The category that similar tickets vote for; pure."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

SHARPNESS = 3  # the power of the weight by which a vote counts
ASKED = 10  # the first votes, which must agree
AGREED = 0.6  # the share of them that must agree


@dataclass(frozen=True)
class Majority:
    """`count` of the `asked` nearest went to `choice`."""

    choice: Hashable
    count: int
    asked: int

    @property
    def is_clear(self) -> bool:
        return self.count >= AGREED * self.asked


def ranked(votes: Iterable[tuple[Hashable, float]]) -> list[Hashable]:
    """Returns the choices of all votes (choice, weight), the best first."""
    sums: defaultdict[Hashable, float] = defaultdict(float)
    for choice, weight in votes:
        sums[choice] += weight**SHARPNESS
    return sorted(sums, key=lambda choice: -sums[choice])


def majority(votes: Sequence[tuple[Hashable, float]]) -> Majority | None:
    """Returns the support of the best choice among the first ASKED votes; None if there are no votes."""
    if not votes:
        return None
    best, nearest = ranked(votes)[0], votes[:ASKED]
    return Majority(best, sum(choice == best for choice, _weight in nearest), len(nearest))
