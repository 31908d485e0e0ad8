"""Puts mail into the outbox: rows in the transaction of the act that they tell of."""

import logging
import threading
from collections import defaultdict
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.models import QuerySet

from accounts import actor
from helpdesk import clock
from tickets.events import Verb
from tickets.inbound.canary import canary_address
from tickets.models import ActivityLog, Handover, MailPreferences, Notification
from tickets.models.notification import CANARY, HANDED_OVER, HELD, UNDELIVERED
from tickets.notifications import delivery, folding, rules, threads, wishes
from tickets.notifications.guard import UnsafeMail, check_address, check_header
from tickets.workflow import TAKE_BACK_PERIOD

logger = logging.getLogger(__name__)
State = Notification.State
NO_TIME = timedelta()
A_DAY = timedelta(days=1)
# A reply waits until it can't be taken back any more.
HOLD = {Verb.REPLIED: TAKE_BACK_PERIOD}


def enqueue(activity: ActivityLog) -> None:
    """One row for each person who is told of `activity`; none where the act is a quiet one."""
    if not actor.current().tells:
        return
    recipients = rules.recipients_for(activity)
    if not recipients:
        return
    now, is_filing = clock.now(), activity.verb == Verb.CREATED
    subject = threads.subject_after(activity) if is_filing else threads.subject(activity.ticket_id)
    # Of a new ticket nobody has had a mail.
    windows = defaultdict(folding.Window) if is_filing else folding.windows(activity, recipients, now=now)
    hold = HOLD.get(activity.verb, NO_TIME)
    for person, audience in recipients.items():
        notification = Notification(
            kind=activity.verb,
            reason=audience,
            person=person,
            address=person.email,
            activity=activity,
            ticket_id=activity.ticket_id,
            batch=activity.batch,
            created_at=now,
            next_try_at=now + hold,
        )
        _heed_wishes(notification, windows[person.pk])
        _add(notification, subject=subject, wake_after=hold)


def _heed_wishes(notification: Notification, window: folding.Window) -> None:
    """Sets when the mail leaves, and with which others."""
    person, moment = notification.person, notification.next_try_at
    kind = rules.kind_of(notification.kind, notification.reason)
    notification.is_digest = wishes.wish(person, kind) == MailPreferences.Wish.DIGEST
    if notification.is_digest:
        moment = wishes.next_digest(person, moment)
    else:
        notification.batch, not_before = window.place(notification.batch)
        moment = max(moment, not_before or moment)
    notification.next_try_at = wishes.after_quiet_hours(person, moment)


def enqueue_handover(handover: Handover) -> None:
    """Tells each person once of all tickets that came to them, or to nobody, by `handover`."""
    came_to, categories = set(), set()
    rows = handover.assignments.values_list("changes", "ticket__category")
    for changes, category in rows.iterator(1000):
        person = changes["assignee"][1]
        came_to.add(person)
        if person is None:
            categories.add(category)
    recipients = rules.recipients_of_handover(
        assignees=came_to - {None}, categories=categories - {None}, actor=handover.asked_by
    )
    now = clock.now()
    for person, audience in recipients.items():
        wish = wishes.wish(person, rules.kind_of(Verb.CREATED, audience))
        moment = wishes.next_digest(person, now) if wish == MailPreferences.Wish.DIGEST else now
        told = {"kind": HANDED_OVER, "reason": audience, "person": person, "address": person.email}
        row = Notification(**told, batch=handover.batch, created_at=now)
        row.next_try_at = wishes.after_quiet_hours(person, moment)
        _add(row)


def enqueue_account_mail(person, kind: str, *, address: str) -> None:
    """A mail about somebody's account, to `address`: it may be the one that is left behind."""
    now = clock.now()
    times = {"created_at": now, "next_try_at": now}
    _add(Notification(kind=kind, person=person, address=address, batch=actor.current().batch, **times))


def enqueue_held(person) -> None:
    """Tells `person`, who sent a mail, that it waits for review; once a day."""
    now = clock.now()
    told = Notification.objects.filter(person=person, kind=HELD, created_at__gt=now - A_DAY)
    if not told.filter(address=person.email).exists():
        times = {"created_at": now, "next_try_at": now}
        _add(Notification(kind=HELD, person=person, address=person.email, **times))


def enqueue_canary() -> None:
    """A mail of the helpdesk to itself, where MAIL_CANARY asks for it; alarms.py waits for its return."""
    if settings.MAIL_CANARY:
        now = clock.now()
        address = canary_address(now)
        _add(Notification(kind=CANARY, address=address, created_at=now, next_try_at=now))


@transaction.atomic
def send_again(notifications: QuerySet) -> int:
    """Queues once more what did not arrive; the Message-ID stays. Returns the number of rows."""
    stuck = notifications.filter(state__in=UNDELIVERED)
    count = stuck.update(state=State.WAITING, attempts=0, next_try_at=clock.now(), last_error="")
    _wake_delivery()
    return count


def _add(notification: Notification, *, subject: str = "", wake_after: timedelta = NO_TIME) -> None:
    """What can't be mailed never stops the act: its row says what is wrong with it."""
    try:
        check_address(notification.address)
        check_header(subject)
    except UnsafeMail as error:
        notification.state = State.FAILED
        notification.last_error = str(error)
        logger.error("A mail to %r can't be sent: %s", notification.address, error)
    notification.save(force_insert=True)
    _wake_delivery(after=wake_after)


def _wake_delivery(*, after: timedelta = NO_TIME) -> None:
    """Without a provider mail is printed right after the commit; with one it is the worker's alone."""
    if settings.HAS_MAIL_PROVIDER:
        return
    if after:
        transaction.on_commit(partial(_deliver_later, after), robust=True)
    else:
        transaction.on_commit(delivery.deliver_due, robust=True)


def _deliver_later(after: timedelta) -> None:
    """Where no worker runs, the process that queued the mail wakes up for it."""
    timer = threading.Timer(after.total_seconds() + 0.1, _deliver_in_thread)
    timer.daemon = True
    timer.start()


def _deliver_in_thread() -> None:
    try:
        delivery.deliver_due()
    except DatabaseError:
        logger.exception("Mail could not be printed now; it waits for the next.")
    finally:
        connections.close_all()
