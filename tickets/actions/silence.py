"""Timed changes of waiting tickets: reopens them on their date, reminds silent requesters, closes tickets.

Runs in the worker (tickets.jobs). Locks and checks each ticket again before changing it, so a reply in the
same second always wins.
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
from tickets.models import Category, Ticket
from tickets.models.category import VARIABLES
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.rules import variables
from tickets.rules.calendar import add_working_days

logger = logging.getLogger(__name__)
BATCH = 500


def wake() -> int:
    """Makes tickets active whose waiting date has come. Returns how many."""
    today = timezone.localdate(clock.now(), timezone.get_default_timezone())
    return _each(Ticket.objects.to_wake(today), Ticket.reopen)


def remind() -> int:
    """Reminds requesters who did not reply for the working days of their category. Returns how many."""
    now, done = clock.now(), 0
    for category in Category.objects.exclude(remind_after=None):
        since = add_working_days(now, -category.remind_after)
        done += _each(Ticket.objects.to_remind(category, silent_since=since), Ticket.remind)
    return done


def close() -> int:
    """Closes reminded tickets on the date that the reminder named. Returns how many."""
    return _each(Ticket.objects.to_close(clock.now()), Ticket.close)


def reminder_text(ticket: Ticket) -> str:
    """Returns the category's text for the reminder; empty: the default (templates/emails/reminder)."""
    return _filled(ticket.category.reminder_text, ticket, day=ticket.closes_on)


def closing_text(ticket: Ticket) -> str:
    """Returns the category's text for the email about closing; empty: the default."""
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
        except Exception:  # a ticket that fails does not stop the others
            logger.exception("Ticket #%s could not be woken, reminded or closed.", number)
    return done


def _numbers(due: models.QuerySet) -> Iterator[int]:
    """Yields primary keys in batches: rows change meanwhile, and memory stays small."""
    last = 0
    while batch := list(due.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield from batch
        last = batch[-1]
