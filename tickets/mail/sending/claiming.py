"""Leases the rows of the next email to one worker for LEASE, by the database's clock.

If a worker dies, its lease expires and another worker takes over. At most one email is sent twice then, with
the same Message-ID.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from tickets.mail.writing import messages
from tickets.models import Notification

State = Notification.State
LEASE = timedelta(minutes=5)
OF_ALL = Q()
FEW_FIRST = (20, 1000, 50_000)  # rows of the outbox that are searched, step by step


def claim(now: datetime, senders: Q = OF_ALL) -> list[Notification]:
    """Leases the rows of the next email to this worker. Returns an empty list if no email is due.

    `senders` is a condition for rows whose sender does not pause.

    A row waits for earlier rows of the same ticket and person, so that the emails of a ticket arrive in order
    and two workers can't claim rows of the same email. It also waits while a row of the same email is on hold
    (outbox.HOLD). Rows of daily digests do not wait for others, and others do not wait for them.
    """
    while True:
        first = _first_due(now, senders)
        if first is None:
            return []
        with transaction.atomic():
            # Do not compare with a timestamp that was read: the stored value may differ (helpdesk.moments).
            due = Notification.objects.due(now)
            claimed = due.filter(pk=first.pk, state=first.state, attempts=first.attempts)
            lease = {"state": State.SENDING, "attempts": F("attempts") + 1, "leased_until": now + LEASE}
            message_id = first.message_id or messages.new_message_id(first)
            if not claimed.update(**lease, message_id=message_id):
                continue  # another worker was faster
            more = _same_mail(first, now).exclude(pk=first.pk).update(**lease, message_id=message_id)
        if not more:  # most emails have one row, whose new values are known without a query
            first.state, first.attempts, first.message_id = State.SENDING, first.attempts + 1, message_id
            first.leased_until = lease["leased_until"]
            return [first]
        ours = Notification.objects.filter(message_id=message_id, state=State.SENDING)
        return list(ours.select_related("person", "activity").order_by("pk"))


def _first_due(now: datetime, senders: Q) -> Notification | None:
    """The row that has been due for longest and waits for no other row.

    Searches a few rows first, because each needs subqueries and the outbox may hold many thousands.
    """
    same_ticket = _unfinished().filter(is_digest=False, ticket=OuterRef("ticket"), person=OuterRef("person"))
    earlier = same_ticket.filter(pk__lt=OuterRef("pk"))
    held = same_ticket.filter(batch=OuterRef("batch"), next_try_at__gt=now)
    may_leave = Q(is_digest=True) | (~Exists(earlier) & ~Exists(held))
    waiting = Notification.objects.filter(senders, state=State.WAITING, next_try_at__lte=now)
    left_by_the_dead = Notification.objects.filter(senders, state=State.SENDING, leased_until__lt=now)
    for most in FEW_FIRST:
        numbers = [
            *left_by_the_dead.order_by("pk").values_list("pk", flat=True)[:most],
            *waiting.order_by("next_try_at", "pk").values_list("pk", flat=True)[:most],
        ]
        # due() again, because another worker may have claimed a row since the first query.
        rows = Notification.objects.due(now).filter(may_leave, pk__in=numbers)
        first = rows.select_related("person", "activity").order_by("next_try_at", "pk").first()
        if first or len(numbers) < most:
            return first
    return None


def _unfinished() -> QuerySet:
    return Notification.objects.filter(state__in=(State.WAITING, State.SENDING))


def _same_mail(first: Notification, now: datetime) -> QuerySet:
    """The rows of the same email as `first`: of the same action, or of the same daily digest.

    A retry of a digest gets no new rows. It has the same Message-ID, so if the first attempt has arrived, the
    client may hide the second.
    """
    if first.is_digest:
        daily = Notification.objects.due(now).filter(is_digest=True, person=first.person_id)
        return daily.filter(address=first.address, message_id=first.message_id)
    if first.ticket_id is None:
        return Notification.objects.none()
    same_ticket = _unfinished().filter(is_digest=False, ticket=first.ticket_id, person=first.person_id)
    return same_ticket.filter(batch=first.batch)


def give_back(notifications: list[Notification]) -> None:
    """Returns rows to the outbox without counting an attempt."""
    finish(notifications, state=State.WAITING, attempts=F("attempts") - 1)


def wait(notifications: list[Notification], *, until, last_error: str, counts: bool = True) -> None:
    attempts = F("attempts") if counts else F("attempts") - 1
    finish(notifications, state=State.WAITING, next_try_at=until, last_error=last_error, attempts=attempts)


def finish(notifications: list[Notification], **values) -> None:
    """Ends the lease and sets `values`, unless the lease has expired and another worker holds the rows."""
    ours = Notification.objects.filter(
        pk__in=[notification.pk for notification in notifications],
        state=State.SENDING,
        leased_until=notifications[0].leased_until,
    )
    ours.update(leased_until=None, **values)
