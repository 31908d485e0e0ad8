"""Finds people for tickets.notifications.audiences: one by one, or at once for many tickets."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.utils.functional import cached_property

from accounts.roles import Role
from tickets.models import Category, Mention, MutedTicket, Ticket, Watcher


def people_with_wishes():
    people = get_user_model().objects.select_related("mail_preferences").with_role()
    return people.saying_who_may_be_mailed().order_by()


class CategoryPeople(NamedTuple):
    """The people of a category, by primary key."""

    notified: list[int]
    default: int | None


def named_in(categories: Collection[int]) -> dict[int | None, CategoryPeople]:
    """Loads the people of categories in one query."""
    rows = Category.objects.filter(pk__in=categories).order_by("people__pk")
    notified, default = defaultdict(list), {}
    for category, assignee, person in rows.values_list("pk", "default_assignee", "people"):
        default[category] = assignee
        if person:
            notified[category].append(person)
    return {category: CategoryPeople(notified[category], default.get(category)) for category in categories}


class Directory:
    """Queries the database once for each category."""

    def __init__(self):
        self._named: dict[int | None, CategoryPeople] = {}

    def people(self, numbers: Collection[int], ticket: int | None = None) -> dict:
        """Returns people by primary key. None: nobody can have muted the ticket."""
        people = people_with_wishes()
        if ticket is not None:
            muted = MutedTicket.objects.filter(ticket=ticket, person=OuterRef("pk")).order_by()
            people = people.annotate(has_muted=Exists(muted))
        return people.in_bulk(numbers)

    def muted(self, people: dict, ticket: int | None) -> Collection[int]:
        """Returns those of people(..., ticket) who have muted it."""
        if ticket is None:
            return ()
        return {number for number, person in people.items() if person.has_muted}

    def watchers(self, ticket: int) -> Collection[int]:
        """Returns the watchers. Asks who works only if somebody watches as staff."""
        watchers = Watcher.objects.filter(ticket=ticket).order_by("pk")
        rows = list(watchers.values_list("person", "as_staff"))
        if any(as_staff for _person, as_staff in rows):
            rows = watchers.counting().values_list("person", "as_staff")
        return [person for person, _as_staff in rows]

    def mentioned(self, ticket: int) -> Collection[int]:
        """Returns the staff whom internal notes on the page of `ticket` mention."""
        return [person for _ticket, person in Mention.objects.on_pages_of([ticket])]

    def notified_of(self, category: int | None) -> Collection[int]:
        """Returns the people who are notified of new tickets of `category`."""
        return self._named_in(category).notified

    def configured(self, category: int | None) -> Collection[int]:
        """Returns the default assignee of `category` and the people to notify."""
        named = self._named_in(category)
        return [*named.notified, named.default] if named.default else named.notified

    def last_resort(self, *, without: int | None = None) -> Collection[int]:
        """Returns who is notified if nobody else is left: supervisors; if none works, superusers.

        `without` is the primary key of a person to ignore.
        """
        staff = get_user_model().objects.staff().exclude(pk=without)
        staff = staff.order_by("pk").values_list("pk", flat=True)
        return list(staff.filter(groups__name=Role.SUPERVISOR)) or list(staff.filter(is_superuser=True))

    def _named_in(self, category: int | None) -> CategoryPeople:
        if category is None:
            return CategoryPeople([], None)
        if category not in self._named:
            self._named |= named_in([category])
        return self._named[category]


class OneTicketDirectory(Directory):
    """Loads everything once, for several queries about `ticket` by `reader`."""

    def __init__(self, ticket: Ticket, reader):
        super().__init__()
        self._ticket, self._people = ticket, {reader.pk: reader}

    def people(self, numbers, ticket=None):
        unknown = {*numbers, *self._concerned} - self._people.keys()
        if unknown:
            self._people |= dict.fromkeys(unknown) | people_with_wishes().in_bulk(unknown)
        return {number: self._people[number] for number in numbers if self._people[number]}

    def attach_people(self) -> None:
        """Sets requester, assignee and watchers on the ticket, so that they are not loaded again."""
        one, people = self._ticket, self.people(self._concerned)
        one.requester, one.assignee = people[one.requester_id], people.get(one.assignee_id)
        one.watching = [people[number] for number in self._ticket.belongings.watchers]

    def muted(self, people, ticket):
        return self._ticket.belongings.muted_by

    def watchers(self, ticket):
        belongings = self._ticket.belongings
        as_staff = belongings.watchers_as_staff
        works = {number for number, person in self.people(as_staff).items() if person.works}
        return [number for number in belongings.watchers if number not in as_staff or number in works]

    def mentioned(self, ticket):
        return self._ticket.belongings.mentioned

    @cached_property
    def _concerned(self) -> set[int]:
        """Returns all people who can be in an audience, so that one query loads them."""
        one = self._ticket
        others = [one.assignee_id] if one.assignee_id else self.configured(one.category_id)
        return {one.requester_id, *others, *one.belongings.watchers, *one.belongings.mentioned}


class FullDirectory(Directory):
    """Loads all people for many tickets in a constant number of queries.

    `without` is the primary key of a person to ignore.
    """

    def __init__(self, facts: Iterable, *, actor_id: int | None, without: int | None = None):
        super().__init__()
        facts, self._without = list(facts), without
        self._watchers, self._muted = defaultdict(list), defaultdict(set)
        tickets = self._tickets = [one.ticket for one in facts]
        watchers = Watcher.objects.filter(ticket__in=tickets).counting().order_by("pk")
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

    def mentioned(self, ticket):
        return self._mentioned[ticket]

    @cached_property
    def _mentioned(self) -> dict[int, list[int]]:
        found = defaultdict(list)
        for ticket, person in Mention.objects.on_pages_of(self._tickets):
            found[ticket].append(person)
        return found
