"""Waiting tickets whose time has come: they wake up, silent requesters are reminded, then it is closed.

Runs in the worker (tickets.jobs). Each ticket is locked and asked again before anything happens to it, so a
human who answers in the same second is never overtaken.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import date

from django.db import models, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.actor import acting_as
from helpdesk import clock
from tickets import variables
from tickets.calendar import add_working_days
from tickets.models import Category, Ticket
from tickets.models.category import VARIABLES
from tickets.querysets import TicketQuerySet

logger = logging.getLogger(__name__)
BATCH = 500


def wake() -> int:
    """Tickets that waited for a day which has come are active again. Returns how many."""
    today = timezone.localdate(clock.now(), timezone.get_default_timezone())
    return _each(Ticket.objects.to_wake(today), Ticket.reopen)


def remind() -> int:
    """Reminds requesters who have been silent for the working days of their category. Returns how many."""
    now, done = clock.now(), 0
    for category in Category.objects.exclude(remind_after=None):
        since = add_working_days(now, -category.remind_after)
        done += _each(Ticket.objects.to_remind(category, silent_since=since), Ticket.remind)
    return done


def close() -> int:
    """Closes what a reminder did not help, once the day that it named has come. Returns how many."""
    return _each(Ticket.objects.to_close(clock.now()), Ticket.close)


def reminder_text(ticket: Ticket) -> str:
    """The category's own words for the reminder; empty: ours (templates/emails/reminder)."""
    return _filled(ticket.category.reminder_text, ticket, day=ticket.closes_on)


def closing_text(ticket: Ticket) -> str:
    """The same for the mail that it is closed."""
    return _filled(ticket.category.closing_text, ticket, day=timezone.localdate(ticket.done_at))


def _filled(text: str, ticket: Ticket, *, day: date | None) -> str:
    values = (
        ticket.requester.get_short_name(),
        f"#{ticket.pk}",
        ticket.subject,
        date_format(day) if day else _("later"),
    )
    return variables.fill(text, dict(zip(VARIABLES, values, strict=True)))


def _each(due: TicketQuerySet, act: Callable[[Ticket], None]) -> int:
    done = 0
    for number in _numbers(due):
        try:
            with transaction.atomic(), acting_as(None):
                ticket = due.select_for_update(of=("self",)).filter(pk=number).first()
                if ticket is not None:
                    act(ticket)
                    done += 1
        except Exception:  # one ticket that fails stops no other
            logger.exception("Ticket #%s could not be woken, reminded or closed.", number)
    return done


def _numbers(due: models.QuerySet) -> Iterator[int]:
    """Primary keys, a batch at a time: the rows change under us, and memory stays small."""
    last = 0
    while batch := list(due.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield from batch
        last = batch[-1]
