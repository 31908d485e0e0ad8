"""Adds notifications to the outbox: rows in the transaction of the act that they report."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from accounts import actor
from helpdesk import clock
from tickets.models import ActivityLog, Handover, InboundEmail, MailPreferences, Notification
from tickets.models.notification import HANDED_OVER, HELD, IS_THIS_YOU, RECEIVED_WAITS
from tickets.notifications import audiences, folding, ticket_mailboxes, wishes
from tickets.rules.events import EVENTS, Verb, notifications_queued

A_DAY = timedelta(days=1)
MOST_RECEIVED_WAITS = 50  # a day, to all strangers together
MOST_QUESTIONS = 5  # a day, to one person


def enqueue_all(activities: Sequence[ActivityLog]) -> None:
    """Adds the rows of several activities in few statements, like enqueue() for each."""
    if len(activities) == 1:
        enqueue(activities[0])
    elif actor.current().tells:
        now = clock.now()
        found = audiences.recipients_for_all(activities)
        tickets = {activity.ticket_id for activity in activities}
        people = {person.pk for recipients in found for person in recipients}
        windows = folding.windows_of_all(tickets, people, now=now)
        mailboxes, rows = ticket_mailboxes.of_tickets(tickets), []
        for activity, recipients in zip(activities, found, strict=True):
            own = {person.pk: windows[activity.ticket_id, person.pk] for person in recipients}
            rows += _rows(activity, recipients, own, mailbox=mailboxes.get(activity.ticket_id), now=now)
        _insert(rows)


def enqueue(activity: ActivityLog) -> None:
    """Adds a row for each person who is notified of `activity`; none if the act is quiet."""
    if not actor.current().tells:
        return
    recipients = audiences.recipients_for(activity)
    if not recipients:
        return
    now, is_filing = clock.now(), activity.verb == Verb.CREATED
    # Nobody has had an email about a new ticket.
    windows = defaultdict(folding.Window) if is_filing else folding.windows(activity, recipients, now=now)
    mailbox = ticket_mailboxes.of_tickets([activity.ticket_id]).get(activity.ticket_id)
    _insert(_rows(activity, recipients, windows, mailbox=mailbox, now=now))


def _insert(rows: Iterable[Notification]) -> None:
    rows = Notification.objects.bulk_create(rows, batch_size=1000)
    notifications_queued.send(sender=Notification, notifications=rows)


def _rows(
    activity: ActivityLog,
    recipients: dict,
    windows: dict[int, folding.Window],
    *,
    mailbox: int | None,
    now: datetime,
) -> Iterator[Notification]:
    hold = EVENTS[activity.verb].held(may_undo=actor.current().may_undo)
    for person, audience in recipients.items():
        notification = Notification(
            kind=activity.verb,
            reason=audience,
            person=person,
            address=person.email,
            activity=activity,
            ticket_id=activity.ticket_id,
            mailbox_id=mailbox,
            batch=activity.batch,
            created_at=now,
            next_try_at=now + hold,
        )
        _apply_preferences(notification, windows[person.pk])
        yield notification


def _apply_preferences(notification: Notification, window: folding.Window) -> None:
    """Sets when the email is sent, and with which others."""
    person, moment = notification.person, notification.next_try_at
    kind = EVENTS[notification.kind].wish_of(notification.reason)
    notification.is_digest = wishes.wish(person, kind) == MailPreferences.Wish.DIGEST
    if notification.is_digest:
        moment = wishes.next_digest(person, moment)
        notification.mailbox_id = None  # a digest holds tickets of several mailboxes
    else:
        notification.batch, not_before = window.place(notification.batch)
        moment = max(moment, not_before or moment)
    notification.next_try_at = wishes.after_quiet_hours(person, moment)


def enqueue_handover(handover: Handover) -> None:
    """Notifies each person once of all tickets that `handover` assigned to them, or unassigned."""
    came_to, categories = set(), set()
    rows = handover.assignments.values_list("changes", "ticket__category")
    for changes, category in rows.iterator(1000):
        person = changes["assignee"][1]
        came_to.add(person)
        if person is None:
            categories.add(category)
    recipients = audiences.recipients_of_handover(
        assignees=came_to - {None}, categories=categories - {None}, actor=handover.asked_by
    )
    now = clock.now()
    for person, audience in recipients.items():
        wish = wishes.wish(person, EVENTS[Verb.CREATED].wish_of(audience))
        moment = wishes.next_digest(person, now) if wish == MailPreferences.Wish.DIGEST else now
        values = {"kind": HANDED_OVER, "reason": audience, "person": person, "address": person.email}
        row = Notification(**values, batch=handover.batch, created_at=now)
        row.next_try_at = wishes.after_quiet_hours(person, moment)
        row.save()


def enqueue_account_mail(person, kind: str, *, address: str) -> None:
    """Adds an email about an account, sent to `address`, which may be the person's old one."""
    now = clock.now()
    times = {"created_at": now, "next_try_at": now}
    batch = actor.current().batch
    Notification.objects.create(kind=kind, person=person, address=address, batch=batch, **times)


def enqueue_held(person, email: InboundEmail) -> None:
    """Notifies `person`, who sent `email`, that it waits for review; once a day."""
    now = clock.now()
    earlier = Notification.objects.filter(person=person, kind=HELD, created_at__gt=now - A_DAY)
    if not earlier.filter(address=person.email).exists():
        _enqueue_about(email, HELD, person=person, address=person.email, now=now)


def enqueue_received_waits(address: str, email: InboundEmail) -> None:
    """Notifies a sender without an account that `email` waits for review; once a day, and few in all.

    Anybody can write to the helpdesk, so the limit keeps it from becoming a source of unwanted emails.
    """
    now = clock.now()
    recent = Notification.objects.filter(person=None, kind=RECEIVED_WAITS, created_at__gt=now - A_DAY)
    earlier = recent.order_by().values_list("address", flat=True)[:MOST_RECEIVED_WAITS]
    if len(earlier) < MOST_RECEIVED_WAITS and address not in earlier:
        _enqueue_about(email, RECEIVED_WAITS, address=address, now=now)


def enqueue_is_this_you(person, email: InboundEmail, *, sender: str) -> None:
    """Asks `person` at the known address whether `email` is theirs; once a day for each other address."""
    now = clock.now()
    recent = Notification.objects.filter(person=person, kind=IS_THIS_YOU, created_at__gt=now - A_DAY)
    earlier = recent.values_list("inbound_email__sender", flat=True)[:MOST_QUESTIONS]
    if len(earlier) < MOST_QUESTIONS and sender not in earlier:
        _enqueue_about(email, IS_THIS_YOU, person=person, address=person.email, now=now)


def _enqueue_about(email: InboundEmail, kind: str, *, address: str, now: datetime, person=None) -> None:
    Notification.objects.create(
        kind=kind,
        person=person,
        address=address,
        inbound_email=email,
        mailbox=email.mailbox,
        created_at=now,
        next_try_at=now,
    )
