"""What the visits need to know of a filled database: numbers of tickets, words, dates."""

from dataclasses import dataclass

from helpdesk.lists.paging import Order
from tickets.management.demo.people import PEOPLE
from tickets.models import Attachment, Category, Status, Ticket
from tickets.rules.workflow import Phase

FIVE, MANY = "A ticket with five replies", "A ticket with two hundred replies"
# What takes longest to show, and to search
WORST, SAME = "A ticket with the worst replies", "A ticket of two letters"
PICTURES = "A ticket with ten pictures"
MADE = (FIVE, MANY, WORST, SAME, PICTURES)
# In one ticket, in a tenth of them, in none
RARE, COMMON, UNKNOWN = "xylophone", "umbrella", "kaleidoscope"
LETTERS = "qz"  # the only word of the tickets SAME
BULK = 50
ROWS = 25  # of a page
DEEP = 1999 * ROWS - 1


@dataclass(frozen=True)
class Place:
    five: int
    many: int
    worst: int
    pictures: int
    picture: str  # the key of one of them
    own: list[int]
    fifty: list[int]
    category: int
    done_status: int
    agent: int
    deep: list[str]  # where page 2,000 of all tickets begins

    @classmethod
    def find(cls) -> "Place":
        own = Ticket.objects.filter(requester__email=PEOPLE["maria"].email)
        quiet = own.exclude(subject__in=MADE).open().order_by("pk").values_list("pk", flat=True)
        fifty = Ticket.objects.exclude(subject__in=MADE).order_by("pk")[:BULK]
        return cls(
            five=own.get(subject=FIVE).pk,
            many=own.get(subject=MANY).pk,
            worst=own.get(subject=WORST).pk,
            pictures=own.get(subject=PICTURES).pk,
            picture=Attachment.objects.filter(ticket__subject=PICTURES).earliest("pk").key,
            own=list(quiet),
            fifty=list(fifty.values_list("pk", flat=True)),
            category=Category.objects.active().first().pk,
            done_status=Status.objects.default_for(Phase.DONE).pk,
            agent=own.get(subject=FIVE).assignee_id,
            deep=cls.deep_place(),
        )

    @staticmethod
    def deep_place() -> list[str]:
        """Of the last row of page 1,999, or of the last page but one."""
        tickets = Ticket.objects.newest_change_first()
        row = tickets[min(DEEP, max(tickets.count() - 2 * ROWS, 0))]
        return Order(tickets).place_of(row)
