"""The technical details that a requester may attach to a ticket. Pure."""

import unicodedata
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from accounts.validators import without_hidden

# In the order of the form. static/js/technical.js knows the values, the server only that of the browser.
LABELS = {
    "page": _("Page"),
    "browser": _("Browser"),
    "system": _("System"),
    "screen": _("Screen"),
    "time_zone": _("Time zone"),
}
LONGEST = 300  # characters of a value


def read(sent: Iterable[str]) -> dict[str, str]:
    """Parses "name:value" texts of a form. Drops unknown names, and cuts long values."""
    pairs = (text.partition(":") for text in sent)
    found = {name: one_line(value) for name, _colon, value in pairs if name in LABELS}
    return {name: found[name] for name in LABELS if found.get(name)}


def one_line(value: str) -> str:
    """Returns the text without invisible and control characters, on one line."""
    visible = " ".join(without_hidden(value[: 10 * LONGEST]).split())
    return "".join(sign for sign in visible if unicodedata.category(sign) != "Cc")[:LONGEST]


def lines(details: dict[str, str]) -> list[tuple[str, str]]:
    """Returns (label, value) pairs in the order of the form."""
    return [(str(label), details[name]) for name, label in LABELS.items() if name in details]
