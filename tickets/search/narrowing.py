"""Implements the filters beside the search box."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from accounts.validators import is_number
from tickets.models import Status
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.search.choices import Period, Show, Who


@dataclass(frozen=True)
class Asking:
    """The user and the list for a filter. Small tables may be lazy, because most filters need none."""

    user: object
    categories: Mapping[int, str]  # names by primary key
    statuses: Iterable[Status]
    is_by_change: bool = True  # whether the list shows the newest change first
    has_merged: bool = True  # whether the list includes merged tickets
    people: dict[int, object] = field(default_factory=dict)  # a cache

    def person(self, number: int):
        """The person, also one who left. Cached."""
        if number and number not in self.people:
            self.people[number] = get_user_model().objects.with_role().filter(pk=number).first()
        return self.people.get(number)


def by_phase(tickets: TicketQuerySet, value: str, asking: Asking) -> TicketQuerySet:
    return tickets.in_phase(*Show(value).phases, statuses=asking.statuses)


def by_who(tickets: TicketQuerySet, value: str, asking: Asking) -> TicketQuerySet:
    match value:
        case Who.OURS:
            return tickets.mine_or_unassigned(asking.user)
        case Who.MINE:
            return tickets.assigned_to(asking.user)
        case Who.UNASSIGNED:
            return tickets.unassigned()
    return tickets


def by_period(tickets: TicketQuerySet, value: str, asking: Asking) -> TicketQuerySet:
    start = Period(value).start
    return tickets.filed_since(start) if asking.is_by_change else tickets.filter(created_at__gte=start)


def by_category(tickets: TicketQuerySet, value: str, asking: Asking) -> TicketQuerySet:
    return tickets.filter(category=value)


def by_priority(tickets: TicketQuerySet, value: str, asking: Asking) -> TicketQuerySet:
    return tickets.of_priority(value)


def by_number(name: str) -> Callable[[TicketQuerySet, str, Asking], TicketQuerySet]:
    """Filters by the foreign key `name`; 0 means none."""

    def narrowed(tickets: TicketQuerySet, value: str, asking: Asking) -> TicketQuerySet:
        found = tickets.filter(**{name: int(value) or None})
        return found if asking.has_merged else found.filter(merged_into=None)

    return narrowed


def status_named(value: str, asking: Asking) -> str:
    return _named(value, lambda number: {row.pk: row.name for row in asking.statuses}.get(number, ""))


def requester_named(value: str, asking: Asking) -> str:
    return _named(value, lambda number: str(asking.person(number) or ""))


def assignee_named(value: str, asking: Asking) -> str:
    """The name of an assignee, with a mark if the person left."""

    def name_of(number: int) -> str:
        person = asking.person(number)
        return person.marked_name if person else ""

    return _named(value, name_of)


def _named(value: str, name_of: Callable[[int], str]) -> str:
    if not is_number(value):
        return ""
    return name_of(int(value)) if int(value) else _("unassigned")
