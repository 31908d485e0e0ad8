"""Which mail a worker sends next. It claims the rows of one mail for LEASE, by the clock of the database.

A worker that dies leaves a lease that runs out: nothing is lost, and at most the mail it held goes out once
more, with the same Message-ID.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from tickets.models import Notification
from tickets.notifications import messages

State = Notification.State
LEASE = timedelta(minutes=5)
FEW_FIRST = (20, 1000, 50_000)  # rows of the outbox


def claim(now: datetime) -> list[Notification]:
    """The rows of the next mail, leased to us; empty when nothing is due.

    A row waits while an earlier one for the same ticket and person is not finished, so mails of a ticket
    arrive in order, and the rows of one mail can't be claimed apart from each other. It waits too while a
    row of the same mail is held back (outbox.HOLD). Rows of daily mails neither wait for others nor hold
    them up.
    """
    while True:
        first = _first_due(now)
        if first is None:
            return []
        with transaction.atomic():
            # Nothing is compared with a moment that was read: it may not be the one that is stored.
            due = Notification.objects.due(now)
            claimed = due.filter(pk=first.pk, state=first.state, attempts=first.attempts)
            lease = {"state": State.SENDING, "attempts": F("attempts") + 1, "leased_until": now + LEASE}
            message_id = first.message_id or messages.new_message_id(first)
            if not claimed.update(**lease, message_id=message_id):
                continue  # another worker was faster
            more = _same_mail(first, now).exclude(pk=first.pk).update(**lease, message_id=message_id)
        if not more:  # most mails tell of one row: what it holds now is known
            first.state, first.attempts, first.message_id = State.SENDING, first.attempts + 1, message_id
            first.leased_until = lease["leased_until"]
            return [first]
        ours = Notification.objects.filter(message_id=message_id, state=State.SENDING)
        return list(ours.select_related("person", "activity").order_by("pk"))


def _first_due(now: datetime) -> Notification | None:
    """The row that is due for longest and waits for no other.

    It is looked for among the first few: each row is asked about others, and there may be many thousands.
    """
    same_ticket = _unfinished().filter(is_digest=False, ticket=OuterRef("ticket"), person=OuterRef("person"))
    earlier = same_ticket.filter(pk__lt=OuterRef("pk"))
    held = same_ticket.filter(batch=OuterRef("batch"), next_try_at__gt=now)
    may_leave = Q(is_digest=True) | (~Exists(earlier) & ~Exists(held))
    waiting = Notification.objects.filter(state=State.WAITING, next_try_at__lte=now)
    left_by_the_dead = Notification.objects.filter(state=State.SENDING, leased_until__lt=now)
    for most in FEW_FIRST:
        numbers = [
            *left_by_the_dead.order_by("pk").values_list("pk", flat=True)[:most],
            *waiting.order_by("next_try_at", "pk").values_list("pk", flat=True)[:most],
        ]
        # Asked once more whether they are due: another worker may have taken one just now.
        rows = Notification.objects.due(now).filter(may_leave, pk__in=numbers)
        first = rows.select_related("person", "activity").order_by("next_try_at", "pk").first()
        if first or len(numbers) < most:
            return first
    return None


def _unfinished() -> QuerySet:
    return Notification.objects.filter(state__in=(State.WAITING, State.SENDING))


def _same_mail(first: Notification, now: datetime) -> QuerySet:
    """The rows that leave with `first`: of its act, or of the person's day.

    A daily mail that is tried again takes up nothing new: it may have arrived, and would be taken for the
    one that is there.
    """
    if first.is_digest:
        daily = Notification.objects.due(now).filter(is_digest=True, person=first.person_id)
        return daily.filter(address=first.address, message_id=first.message_id)
    if first.ticket_id is None:
        return Notification.objects.none()
    same_ticket = _unfinished().filter(is_digest=False, ticket=first.ticket_id, person=first.person_id)
    return same_ticket.filter(batch=first.batch)


def give_back(notifications: list[Notification]) -> None:
    """Nobody tried to send it."""
    finish(notifications, state=State.WAITING, attempts=F("attempts") - 1)


def wait(notifications: list[Notification], *, until, last_error: str, counts: bool = True) -> None:
    attempts = F("attempts") if counts else F("attempts") - 1
    finish(notifications, state=State.WAITING, next_try_at=until, last_error=last_error, attempts=attempts)


def finish(notifications: list[Notification], **values) -> None:
    """Ends the lease, unless it ran out and another worker holds the rows now."""
    ours = Notification.objects.filter(
        pk__in=[notification.pk for notification in notifications],
        state=State.SENDING,
        leased_until=notifications[0].leased_until,
    )
    ours.update(leased_until=None, **values)
