"""Limits how many tickets a person may file in an hour. Staff and imports have no limit.

Counts rows of the log, which also has withdrawn tickets. A ticket that staff file for a person counts for
staff.
"""

from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import Func, QuerySet, Subquery, TextField, Value
from django.utils import timezone
from django.utils.translation import ngettext

from accounts import actor
from tickets.models import ActivityLog, Status
from tickets.rules.events import Verb
from tickets.rules.workflow import Phase

HOUR = timedelta(hours=1)
LOCK = 0x46494C45 << 32  # distinguishes these advisory locks from others; the person's primary key is added
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL, Appendix A


class TooManyTickets(Exception):
    """The person must wait for `wait`; the message says so."""

    def __init__(self, wait: timedelta):
        self.wait = wait
        minutes = -(-wait // timedelta(minutes=1))
        text = ngettext(
            "You have submitted many tickets within an hour. Try again in %(minutes)d minute.",
            "You have submitted many tickets within an hour. Try again in %(minutes)d minutes.",
            minutes,
        )
        super().__init__(text % {"minutes": minutes})


class AdvisoryLock(Func):
    """Lets one transaction of a person continue until its end. Waits as long as lock_timeout allows."""

    function = "pg_advisory_xact_lock"
    output_field = TextField()

    def __init__(self, person):
        super().__init__(Value(LOCK + person.pk))


def status_for_new(person) -> Status:
    """Returns the status of a new ticket of `person`. Raises TooManyTickets above the limit."""
    asked = {"limit_since": Subquery(_nth_newest(person, settings.TICKETS_PER_HOUR))}
    if connection.vendor == "postgresql":
        asked["turn"] = AdvisoryLock(person)  # part of the same query, so that it costs none of its own
    try:
        status = Status.objects.annotate(**asked).default_for(Phase.NEW)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
            raise
        raise TooManyTickets(timedelta(minutes=1)) from error  # many transactions wait for the lock already
    if wait := _wait(person, status.limit_since):
        raise TooManyTickets(wait)
    return status


def count_new(person) -> None:
    """Counts again, with the new ticket, because others may have been filed before the lock.

    Raises TooManyTickets.

    On SQLite only one transaction writes at a time, so the result of status_for_new() still holds.
    """
    if connection.vendor != "postgresql":
        return
    if wait := _wait(person, _nth_newest(person, settings.TICKETS_PER_HOUR + 1).first()):
        raise TooManyTickets(wait)


def wait_for(person) -> timedelta | None:
    """Returns how long `person` must wait for the next ticket; None: no wait.

    Until the transaction ends no other one files for this person, so the count stays correct.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK + person.pk])
    return _wait(person, _nth_newest(person, settings.TICKETS_PER_HOUR).first())


def _nth_newest(person, number: int) -> QuerySet:
    """Returns when the person filed the `number`-th newest ticket; empty if there are fewer."""
    filed = ActivityLog.objects.filter(
        actor=person.pk, verb=Verb.CREATED, source__in=(actor.WEB, actor.EMAIL)
    ).order_by("-pk")
    return filed.values_list("recorded_at", flat=True)[number - 1 : number]


def _wait(person, limit_since) -> timedelta | None:
    wait = limit_since + HOUR - timezone.now() if limit_since else timedelta()
    # Queries the database for the role last.
    return wait if wait > timedelta() and not person.is_staff else None
