"""Who is who for tickets.notifications.rules: asked one by one, or known at once for many tickets."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.utils.functional import cached_property

from tickets.models import Category, MutedTicket, Ticket, Watcher


def people_with_wishes():
    people = get_user_model().objects.select_related("mail_preferences").with_role()
    return people.saying_who_may_be_mailed().order_by()


class Directory:
    """Asks the database each time."""

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
        people = Category.people.through.objects.filter(category=category).order_by("pk")
        return list(people.values_list("user", flat=True))


class OneTicketDirectory(Directory):
    """Asks once, for several questions about `ticket` by `reader`."""

    def __init__(self, ticket: Ticket, reader):
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

    def told_of(self, category):
        return self._told

    @cached_property
    def _concerned(self) -> set[int]:
        """All whom rules may mean next, so that they are found along with the first that are asked for."""
        one = self._ticket
        first = {one.requester_id, one.assignee_id} if one.assignee_id else {one.requester_id, *self._told}
        return first.union(self.around.watchers)

    @cached_property
    def _told(self) -> Collection[int]:
        return super().told_of(self._ticket.category_id)


class FullDirectory(Directory):
    """Knows all that concerns many tickets, in a constant number of queries."""

    def __init__(self, facts: Iterable, *, actor_id: int | None):
        facts = list(facts)
        self._watchers, self._told, self._muted = defaultdict(list), defaultdict(list), defaultdict(set)
        tickets = [one.ticket for one in facts]
        watchers = Watcher.objects.filter(ticket__in=tickets).order_by("pk")
        for ticket, person in watchers.values_list("ticket", "person"):
            self._watchers[ticket].append(person)
        muted = MutedTicket.objects.filter(ticket__in=tickets)
        for ticket, person in muted.values_list("ticket", "person"):
            self._muted[ticket].add(person)
        told = Category.people.through.objects.filter(category__in={one.category for one in facts})
        for category, person in told.order_by("pk").values_list("category", "user"):
            self._told[category].append(person)
        concerned = {person for one in facts for person in (one.requester, one.assignee)} | {actor_id}
        lists = (*self._watchers.values(), *self._told.values())
        self._people = super().people(concerned.union(*lists) - {None})

    def people(self, numbers, ticket=None):
        return {number: self._people[number] for number in numbers if number in self._people}

    def muted(self, people, ticket):
        return self._muted[ticket]

    def watchers(self, ticket):
        return self._watchers[ticket]

    def told_of(self, category):
        return self._told[category]
