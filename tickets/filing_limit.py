"""How many tickets a person may file in an hour. Staff may file any number, and so may an import.

Counted in the log: it also knows the tickets that were withdrawn. What staff file for somebody is theirs.
"""

from datetime import timedelta

from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import Func, QuerySet, Subquery, TextField, Value
from django.utils import timezone
from django.utils.translation import ngettext

from accounts import actor
from tickets.events import Verb
from tickets.models import ActivityLog, Status
from tickets.workflow import Phase

HOUR = timedelta(hours=1)
LOCK = 0x46494C45 << 32  # what tells these advisory locks from others; the person's number comes on top
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL, Appendix A


class TooManyTickets(Exception):
    """The person has to wait for `wait`; the message says so."""

    def __init__(self, wait: timedelta):
        self.wait = wait
        minutes = -(-wait // timedelta(minutes=1))
        text = ngettext(
            "You have submitted many tickets within an hour. Try again in %(minutes)d minute.",
            "You have submitted many tickets within an hour. Try again in %(minutes)d minutes.",
            minutes,
        )
        super().__init__(text % {"minutes": minutes})


class Turn(Func):
    """Lets only one transaction of a person go on, to its end. Waits for its turn as long as lock_timeout."""

    function = "pg_advisory_xact_lock"
    output_field = TextField()

    def __init__(self, person):
        super().__init__(Value(LOCK + person.pk))


def status_for_new(person) -> Status:
    """The status that a ticket filed by `person` begins with. Raises TooManyTickets past the limit."""
    asked = {"limit_since": Subquery(_nth_newest(person, settings.TICKETS_PER_HOUR))}
    if connection.vendor == "postgresql":
        asked["turn"] = Turn(person)  # of the same question, so that it costs none
    try:
        status = Status.objects.annotate(**asked).default_for(Phase.NEW)
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
            raise
        raise TooManyTickets(timedelta(minutes=1)) from error  # so many wait for their turn already
    if wait := _wait(person, status.limit_since):
        raise TooManyTickets(wait)
    return status


def count_new(person) -> None:
    """Asks once more, with the new ticket: others filed before its turn may be more. Raises TooManyTickets.

    On SQLite only one transaction writes anyway, so what status_for_new() saw still holds.
    """
    if connection.vendor != "postgresql":
        return
    if wait := _wait(person, _nth_newest(person, settings.TICKETS_PER_HOUR + 1).first()):
        raise TooManyTickets(wait)


def wait_for(person) -> timedelta | None:
    """How long `person` has to wait before the next ticket; None: not at all."""
    return _wait(person, _nth_newest(person, settings.TICKETS_PER_HOUR).first())


def _nth_newest(person, number: int) -> QuerySet:
    """When the person filed this one of the newest tickets; empty where there are fewer."""
    filed = ActivityLog.objects.filter(
        actor=person.pk, verb=Verb.CREATED, source__in=(actor.WEB, actor.EMAIL)
    ).order_by("-pk")
    return filed.values_list("recorded_at", flat=True)[number - 1 : number]


def _wait(person, limit_since) -> timedelta | None:
    wait = limit_since + HOUR - timezone.now() if limit_since else timedelta()
    # Who is staff is asked of the database, so last.
    return wait if wait > timedelta() and not person.is_staff else None
