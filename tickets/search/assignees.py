"""The people for assignee:ann: active staff, and people who left but are still assignees of tickets."""

from collections.abc import Iterable, Iterator

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from helpdesk.readings import all_words
from tickets.models.planner import ASSIGNEES
from tickets.search.names import named

MOST_PEOPLE = 500


def assignees() -> QuerySet:
    """The assignees of all tickets, open and done."""
    return get_user_model().objects.filter(pk__in=RawSQL(ASSIGNEES, []))  # noqa: S611 - our own words


def possible_assignees() -> list:
    """All possible assignees, annotated with their role."""
    people = get_user_model().objects.staff() | assignees()
    return list(people.with_role()[:MOST_PEOPLE])


def assignees_like(value: str, people: Iterable) -> list:
    """Those of `people` whose name or address matches `value`."""
    return named(value, ((person, _words_for(person)) for person in people))


def names_in(people: Iterable) -> Iterator[str]:
    """The names and addresses that match them."""
    return (word for person in people for word in _words_for(person))


def former(people: Iterable) -> list[str]:
    """The marked names of those who do not work on tickets (any more)."""
    return [person.marked_name for person in people if not person.works]


def _words_for(person) -> list[str]:
    return all_words(f"{person} {person.email}")
