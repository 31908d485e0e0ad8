"""Who is who for tickets.notifications.rules: asked one by one, or known at once for many tickets."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from tickets.models import Category, MutedTicket, Ticket, Watcher


class Directory:
    """Asks the database each time."""

    def people(self, numbers: Collection[int], ticket: int | None = None) -> dict:
        """The active ones among `numbers`, by primary key."""
        muted = MutedTicket.objects.filter(ticket=ticket, person=OuterRef("pk"))
        people = get_user_model().objects.active().select_related("mail_preferences")
        return people.annotate(has_muted=Exists(muted)).prefetch_related("groups").in_bulk(numbers)

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
    """Asks once, for several questions about `ticket`."""

    def __init__(self, ticket: Ticket):
        self._people, self._watchers = {}, [person.pk for person in ticket.watching]

    def people(self, numbers, ticket=None):
        unknown = set(numbers) - self._people.keys()
        if unknown:
            self._people |= dict.fromkeys(unknown) | super().people(unknown, ticket)
        return {number: self._people[number] for number in numbers if self._people[number]}

    def watchers(self, ticket):
        return self._watchers


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
