"""Finds tickets by words; the same on SQLite and on PostgreSQL."""

from django.db.models import Q

from tickets.querysets import TicketQuerySet

MAX_LENGTH = 200
WORDS_OF_TICKET = ("subject", "description")
WORDS_OF_PEOPLE = ("requester__full_name", "requester__email", "requester__department")
LARGEST_NUMBER = 2**63 - 1


def search(tickets: TicketQuerySet, words: str, *, user) -> TicketQuerySet:
    """The tickets that contain every word, or whose number is asked for (1042, #1042).

    Only staff find tickets by who filed them. `tickets` are already limited to what `user` may see.
    """
    words = words[:MAX_LENGTH].strip()
    if "\0" in words:  # PostgreSQL refuses it, SQLite ends the text there
        return tickets.none()
    fields = WORDS_OF_TICKET + (WORDS_OF_PEOPLE if user.is_staff else ())
    found = Q()
    for word in words.split():
        found &= Q.create([(f"{field}__icontains", word) for field in fields], connector=Q.OR)
    if number := ticket_number(words):
        found |= Q(pk=number)
    return tickets.filter(found)


def ticket_number(words: str) -> int | None:
    """The number that somebody typed, with or without #; None where it can't be a ticket's."""
    digits = words[:MAX_LENGTH].strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and int(digits) <= LARGEST_NUMBER else None
