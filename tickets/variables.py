"""Variables in texts that staff write: {requester}. Pure; what is no variable stays as it was typed."""

import re
from collections.abc import Iterable, Mapping

from tickets import likeness

VARIABLE = re.compile(r"\{(\w+)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with its variables replaced, once: what stands in a value is not looked at again."""
    return VARIABLE.sub(lambda match: str(values.get(match[1], match[0])), text)


def unknown(text: str, known: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(VARIABLE.findall(text)) if name not in known]


def nearest(name: str, known: Iterable[str]) -> str:
    """The variable that was probably meant; empty where none is like it."""
    return likeness.nearest(name, known) or ""
