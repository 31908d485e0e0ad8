"""What an act on many tickets would do: it is done, looked at, and rolled back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import actor
from tickets import timeline
from tickets.models import ActivityLog, Notification, Ticket


@dataclass(frozen=True)
class Rehearsed:
    """What would happen to one ticket: sentences and the people who would be mailed, or why it is refused."""

    ticket: Ticket
    sentences: list[str]
    told: list[str]
    refusal: str = ""

    @property
    def changes(self) -> bool:
        return bool(self.sentences)


def rehearse(numbers: Iterable[int], act: Callable[[Ticket], None], *, reader) -> list[Rehearsed]:
    """By the very code that acts, logs and mails, so that nothing else can come of it."""
    with transaction.atomic():
        tickets, refusals = _act(numbers, act)
        batch = actor.current().batch
        rows: dict[int, list[ActivityLog]] = {}
        for row in ActivityLog.objects.filter(batch=batch).oldest_first():
            rows.setdefault(row.ticket_id, []).append(row)
        told: dict[int, dict[str, None]] = {}
        for mail in Notification.objects.filter(batch=batch).select_related("person").order_by("pk"):
            told.setdefault(mail.ticket_id, {})[str(mail.person)] = None
        found = [
            Rehearsed(
                ticket=ticket,
                sentences=timeline.sentences(rows.get(number, []), reader=reader),
                told=list(told.get(number, {})),
                refusal=refusals.get(number, ""),
            )
            for number, ticket in tickets.items()
        ]
        transaction.set_rollback(True)
    return found


def _act(numbers, act) -> tuple[dict[int, Ticket], dict[int, str]]:
    tickets, refusals = {}, {}
    for ticket in Ticket.objects.filter(pk__in=numbers).order_by("pk").select_for_update():
        number = ticket.pk
        tickets[number] = Ticket.objects.with_people().get(pk=number)
        try:
            with transaction.atomic():
                act(ticket)
        except ValidationError as error:
            refusals[number] = " ".join(error.messages)
    return tickets, refusals
