"""Delivers without a worker: if no provider is set, emails are printed right after the commit."""

import logging
import threading
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.models import QuerySet

from helpdesk import clock
from tickets.mail.sending import delivery
from tickets.models import Mailbox, Notification
from tickets.models.notification import UNDELIVERED
from tickets.rules.workflow import TAKE_BACK_PERIOD

logger = logging.getLogger(__name__)


def wake_for(notification: Notification) -> None:
    """Delivers a new row after the commit, or after the time in which its author can undo it.

    Rows that are due later (quiet hours, daily digest) are delivered together with a later row. With a
    provider only the worker delivers.
    """
    wait = notification.next_try_at - notification.created_at
    if timedelta() < wait <= TAKE_BACK_PERIOD:
        _after_commit(partial(_deliver_later, wait))
    else:
        _after_commit(_deliver)


@transaction.atomic
def send_again(notifications: QuerySet) -> int:
    """Queues undelivered rows again, with the same Message-ID. Returns the number of rows."""
    stuck = notifications.filter(state__in=UNDELIVERED)
    waiting = Notification.State.WAITING
    count = stuck.update(state=waiting, attempts=0, next_try_at=clock.now(), last_error="")
    _after_commit(_deliver)
    return count


def _after_commit(deliver) -> None:
    if not settings.HAS_MAIL_PROVIDER:
        transaction.on_commit(deliver, robust=True)


def _deliver() -> None:
    """With a mailbox only the worker delivers, so that no page waits for a mail server."""
    if Mailbox.objects.default() is None:
        delivery.deliver_due()


def _deliver_later(wait: timedelta) -> None:
    timer = threading.Timer(wait.total_seconds() + 0.1, _deliver_in_thread)
    timer.daemon = True
    timer.start()


def _deliver_in_thread() -> None:
    try:
        _deliver()
    except DatabaseError:
        logger.exception("Mail could not be printed now; it waits for the next.")
    finally:
        connections.close_all()
