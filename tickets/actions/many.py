"""Acts on many tickets at once: each ticket is saved on its own, with few statements for all."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import transaction

from tickets.history import recording
from tickets.models import Status, Ticket, tracking


@contextmanager
def locked_tickets(numbers: Collection[int]) -> Iterator[list[Ticket]]:
    """Locks the tickets for the block, which may save each of them, in one transaction.

    The tickets are not read again. Their log rows and notifications are written at the end of the block.
    Inside the block only a refused save (ValidationError, NotStaff) may be caught.
    """
    with transaction.atomic():
        tickets = list(Ticket.objects.filter(pk__in=numbers).order_by("pk").select_for_update())
        # Locked rows are not joined: PostgreSQL drops one whose status changed during the wait.
        statuses = Status.objects.in_bulk({ticket.status_id for ticket in tickets})
        for ticket in tickets:
            ticket.status = statuses[ticket.status_id]
        with tracking.locked(tickets), recording.together():
            yield tickets
