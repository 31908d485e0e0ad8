"""Badges in the rows of a list, rendered once and reused."""

from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from tickets.models import Ticket


def status_badge(status) -> SafeString:
    return _badge(status.name, status.phase, status.colour)


@lru_cache(maxsize=100)
def _badge(name: str, phase: str, colour: str) -> SafeString:
    return render_to_string("tickets/includes/status.html", {"name": name, "phase": phase, "colour": colour})


def priority_mark(priority: str) -> SafeString:
    return _mark(priority, get_language())


@lru_cache(maxsize=100)
def _mark(priority: str, language: str) -> SafeString:
    context = {"priority": priority, "label": Ticket.Priority(priority).label}
    return render_to_string("tickets/includes/priority.html", context)
