"""Which mailbox sends the emails about a ticket: its own, or the only one of its category.

The outbox keeps it. Other emails leave by the default mailbox, which is found when they are sent.
"""

from collections import Counter
from collections.abc import Collection

from tickets.models import Mailbox, Ticket


def of_tickets(numbers: Collection[int]) -> dict[int, int]:
    """{ticket: mailbox} of the tickets that have one; one query in an installation without mailboxes."""
    categories = dict(Mailbox.objects.sending().order_by().values_list("pk", "category"))
    if not categories:
        return {}
    many = Counter(categories.values())
    only = {category: mailbox for mailbox, category in categories.items() if category and many[category] == 1}
    tickets = Ticket.objects.filter(pk__in=numbers).values_list("pk", "mailbox", "category")
    found = {
        ticket: mailbox if mailbox in categories else only.get(category)
        for ticket, mailbox, category in tickets
    }
    return {ticket: mailbox for ticket, mailbox in found.items() if mailbox}
