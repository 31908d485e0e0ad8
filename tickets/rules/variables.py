"""Variables like {requester} in texts that staff write. Pure; unknown variables stay as they were typed."""

import re
from collections.abc import Iterable, Mapping

from tickets.rules import likeness

VARIABLE = re.compile(r"\{(\w+)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replaces the variables of `text` once: values are not searched for variables again."""
    return VARIABLE.sub(lambda match: str(values.get(match[1], match[0])), text)


def unknown(text: str, known: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(VARIABLE.findall(text)) if name not in known]


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns the variable that was probably meant; empty if none is similar."""
    return likeness.nearest(name, known) or ""
