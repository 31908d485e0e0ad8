"""The parts of a parsed query. Pure."""

from dataclasses import dataclass, field

MOST_WORDS = 32


@dataclass(frozen=True)
class Term:
    """A word, or a phrase in quotes. A minus before it excludes it."""

    text: str
    is_phrase: bool = False
    is_excluded: bool = False


@dataclass(frozen=True)
class Asked:
    """A typed or chosen filter like status:waiting. Its name may be unknown."""

    name: str
    value: str
    is_excluded: bool = False
    typed: str = field(default="", compare=False)  # "" for a filter beside the search box
