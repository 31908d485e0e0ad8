"""The tickets and categories of a person who is about to stop working, for the page that asks about them."""

from dataclasses import dataclass

from tickets.models import Category, Macro, SavedReply, SavedView, Ticket, Watcher
from tickets.notifications import audiences

LISTED = 10  # tickets


@dataclass(frozen=True)
class Leaving:
    """`notified` are the names of the people who get one email if the tickets become unassigned."""

    tickets: list[Ticket]
    ticket_count: int
    default_of: list[Category]
    notified_of: list[Category]
    watched_count: int
    saved_replies: int
    macros: int
    views: int
    notified: list[str]

    @property
    def is_anything(self) -> bool:
        return bool(self.ticket_count or self.default_of or self.notified_of or self.watched_count)

    @property
    def more(self) -> int:
        return max(0, self.ticket_count - len(self.tickets))

    @property
    def has_own(self) -> bool:
        return bool(self.saved_replies or self.macros or self.views)


def leaving(person, *, actor) -> Leaving:
    """Collects the present state. `actor` is the person who would hand over."""
    tickets = Ticket.objects.open().assigned_to(person)
    categories = tickets.order_by().values_list("category", flat=True).distinct()
    notified = audiences.recipients_of_handover(
        assignees=(), categories=categories, actor=actor, leaver=person
    )
    return Leaving(
        tickets=list(tickets.order_by("created_at", "pk")[:LISTED]),
        ticket_count=tickets.count(),
        default_of=list(Category.objects.filter(default_assignee=person)),
        notified_of=list(Category.objects.filter(people=person)),
        watched_count=Watcher.objects.filter(person=person).count(),
        saved_replies=SavedReply.objects.filter(owner=person).count(),
        macros=Macro.objects.filter(owner=person).count(),
        views=SavedView.objects.filter(owner=person).count(),
        notified=sorted(map(str, notified)),
    )
