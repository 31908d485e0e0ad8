"""Who is who for tickets.notifications.rules: asked one by one, or known at once for many tickets."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Value
from django.utils.functional import cached_property

from accounts.roles import Role
from tickets.models import Category, MutedTicket, Ticket, Watcher


def people_with_wishes():
    people = get_user_model().objects.select_related("mail_preferences").with_role()
    return people.saying_who_may_be_mailed().order_by()


class Named(NamedTuple):
    """The people who are named in a category, by primary key."""

    told: list[int]
    default: int | None


def named_in(categories: Collection[int]) -> dict[int | None, Named]:
    """By category, in one query."""
    people = Category.people.through.objects.filter(category__in=categories).order_by()
    defaults = Category.objects.filter(pk__in=categories).exclude(default_assignee=None).order_by()
    rows = people.values_list("category", "pk", "user").union(
        defaults.values_list("pk", Value(0), "default_assignee")
    )
    told, default = defaultdict(list), {}
    for category, number, person in sorted(rows):
        if number:
            told[category].append(person)
        else:
            default[category] = person
    return {category: Named(told[category], default.get(category)) for category in categories}


class Directory:
    """Asks the database, of each category once."""

    def __init__(self):
        self._named: dict[int | None, Named] = {}

    def people(self, numbers: Collection[int], ticket: int | None = None) -> dict:
        """By primary key."""
        muted = MutedTicket.objects.filter(ticket=ticket, person=OuterRef("pk"))
        return people_with_wishes().annotate(has_muted=Exists(muted)).in_bulk(numbers)

    def muted(self, people: dict, ticket: int | None) -> Collection[int]:
        """Those of people(..., ticket) who want no mail about it."""
        return {number for number, person in people.items() if person.has_muted}

    def watchers(self, ticket: int) -> Collection[int]:
        return list(Watcher.objects.filter(ticket=ticket).order_by("pk").values_list("person", flat=True))

    def told_of(self, category: int | None) -> Collection[int]:
        """The people who are told of new tickets of `category`."""
        return self._named_in(category).told

    def configured(self, category: int | None) -> Collection[int]:
        """All who are named in `category`: its default assignee, and the people who are told."""
        named = self._named_in(category)
        return [*named.told, named.default] if named.default else named.told

    def last_resort(self, *, without: int | None = None) -> Collection[int]:
        """Who is told where nobody else is left: supervisors, and where none works superusers.

        `without` is the number of a person who counts for nobody.
        """
        staff = get_user_model().objects.staff().exclude(pk=without)
        staff = staff.order_by("pk").values_list("pk", flat=True)
        return list(staff.filter(groups__name=Role.SUPERVISOR)) or list(staff.filter(is_superuser=True))

    def _named_in(self, category: int | None) -> Named:
        if category is None:
            return Named([], None)
        if category not in self._named:
            self._named |= named_in([category])
        return self._named[category]


class OneTicketDirectory(Directory):
    """Asks once, for several questions about `ticket` by `reader`."""

    def __init__(self, ticket: Ticket, reader):
        super().__init__()
        self._ticket, self._people = ticket, {reader.pk: reader}
        self.around = ticket.look_around()

    def people(self, numbers, ticket=None):
        unknown = {*numbers, *self._concerned} - self._people.keys()
        if unknown:
            self._people |= dict.fromkeys(unknown) | people_with_wishes().in_bulk(unknown)
        return {number: self._people[number] for number in numbers if self._people[number]}

    def introduce(self) -> None:
        """Gives the ticket its requester, assignee and watchers, who need not be asked for apart."""
        one, people = self._ticket, self.people(self._concerned)
        one.requester, one.assignee = people[one.requester_id], people.get(one.assignee_id)
        one.watching = [people[number] for number in self.around.watchers]

    def muted(self, people, ticket):
        return self.around.muted_by

    def watchers(self, ticket):
        return self.around.watchers

    @cached_property
    def _concerned(self) -> set[int]:
        """All whom rules may mean next, so that they are found along with the first that are asked for."""
        one = self._ticket
        others = [one.assignee_id] if one.assignee_id else self.configured(one.category_id)
        return {one.requester_id, *others, *self.around.watchers}


class FullDirectory(Directory):
    """Knows all that concerns many tickets, in a constant number of queries.

    `without` is the number of a person who counts for nobody.
    """

    def __init__(self, facts: Iterable, *, actor_id: int | None, without: int | None = None):
        super().__init__()
        facts, self._without = list(facts), without
        self._watchers, self._muted = defaultdict(list), defaultdict(set)
        tickets = [one.ticket for one in facts]
        watchers = Watcher.objects.filter(ticket__in=tickets).order_by("pk")
        for ticket, person in watchers.values_list("ticket", "person"):
            self._watchers[ticket].append(person)
        muted = MutedTicket.objects.filter(ticket__in=tickets)
        for ticket, person in muted.values_list("ticket", "person"):
            self._muted[ticket].add(person)
        self._named = named_in({one.category for one in facts} - {None})
        concerned = {person for one in facts for person in (one.requester, one.assignee)} | {actor_id}
        lists = (*self._watchers.values(), *map(self.configured, self._named))
        self._people = super().people(concerned.union(*lists) - {None}) | {without: None}

    def people(self, numbers, ticket=None):
        unknown = set(numbers) - self._people.keys()
        if unknown:
            self._people |= dict.fromkeys(unknown) | super().people(unknown)
        return {number: self._people[number] for number in numbers if self._people[number]}

    def muted(self, people, ticket):
        return self._muted[ticket]

    def last_resort(self, *, without=None):
        return self._last_resort

    @cached_property
    def _last_resort(self) -> Collection[int]:
        return super().last_resort(without=self._without)

    def watchers(self, ticket):
        return self._watchers[ticket]
