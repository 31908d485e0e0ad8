"""Small marks that stand in every row of a list, the same few again and again."""

from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


def status_badge(status) -> SafeString:
    return _badge(status.name, status.phase, status.colour)


@lru_cache(maxsize=100)
def _badge(name: str, phase: str, colour: str) -> SafeString:
    return render_to_string("tickets/includes/status.html", {"name": name, "phase": phase, "colour": colour})


@lru_cache(maxsize=100)
def priority_mark(priority: str, label: str) -> SafeString:
    """`label` is the name of `priority` in the language of the page."""
    return render_to_string("tickets/includes/priority.html", {"priority": priority, "label": label})
