"""Finds the people whom an internal note mentions: “@Ann Weber”, or “@ann” if only one has that name."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

AT = re.compile(r"(?<![\w@.+-])@(?=\w)")  # not in an email address
WORD = re.compile(r"[\w'’-]+")
MOST = 50  # mentions that are read in one note
LONGEST = 200  # characters of a name


def mentioned(text: str, names: Mapping[int, str]) -> list[int]:
    """Returns the keys of `names` that `text` mentions, each once. A name that two people share is nobody."""
    folded = {key: " ".join(name.casefold().split()) for key, name in names.items()}
    found = (_person(after, folded) for after in islice(_behind(text), MOST))
    return list(dict.fromkeys(key for key in found if key is not None))


def _behind(text: str) -> Iterator[str]:
    """Yields what follows each @."""
    for at in AT.finditer(text):
        yield text[at.end() : at.end() + LONGEST].casefold()


def _person(after: str, names: Mapping[int, str]) -> int | None:
    """Returns whose name `after` begins with: the longest whole name, else the only one with the word."""
    whole = [key for key, name in names.items() if _begins(after, name)]
    longest = max((len(names[key]) for key in whole), default=0)
    if longest:
        return _only([key for key in whole if len(names[key]) == longest])
    word = WORD.match(after)
    return _only([key for key, name in names.items() if word and word[0] in name.split()])


def _begins(after: str, name: str) -> bool:
    return after.startswith(name) and not re.match(r"\w", after[len(name) :])


def _only(keys: list[int]) -> int | None:
    return keys[0] if len(keys) == 1 else None
