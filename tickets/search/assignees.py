"""The people whom assignee:ann can mean: who works, and who left and still is the assignee of tickets."""

from collections.abc import Iterable, Iterator

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from tickets.search.words import name_begins, words_of, words_of_name

MOST_PEOPLE = 500
# From one assignee to the next along an index: DISTINCT reads a million entries to find thirty people.
ASSIGNEES = """
WITH RECURSIVE found (number) AS (
    SELECT MIN(assignee_id) FROM tickets_ticket
    UNION ALL
    SELECT (SELECT MIN(assignee_id) FROM tickets_ticket WHERE assignee_id > found.number)
    FROM found WHERE found.number IS NOT NULL
)
SELECT number FROM found WHERE number IS NOT NULL
"""


def assignees() -> QuerySet:
    """The assignees of all tickets, open and done."""
    return get_user_model().objects.filter(pk__in=RawSQL(ASSIGNEES, []))  # noqa: S611 - our own words


def possible_assignees() -> list:
    """All of them, each with the role."""
    people = get_user_model().objects.staff() | assignees()
    return list(people.with_role()[:MOST_PEOPLE])


def named(value: str, people: Iterable) -> list:
    """Those of `people` in whose name and address words begin with each of the first words of `value`."""
    asked = words_of_name(value)
    return [person for person in people if name_begins(asked, _words_for(person))]


def names_in(people: Iterable) -> Iterator[str]:
    """What they can be named by."""
    return (word for person in people for word in _words_for(person))


def former(people: Iterable) -> list[str]:
    """The names of those who do not work (any more), marked."""
    return [person.marked_name for person in people if not person.works]


def _words_for(person) -> list[str]:
    return words_of(f"{person} {person.email}")
