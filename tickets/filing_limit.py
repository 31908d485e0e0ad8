"""How many tickets a person may file in an hour. Staff may file any number, and so may an import.

Counted in the log: it also knows the tickets that were withdrawn. What staff file for somebody is theirs.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import ngettext

from accounts import actor
from tickets.events import Verb
from tickets.models import ActivityLog, Status
from tickets.workflow import Phase

HOUR = timedelta(hours=1)


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


def status_for_new(person) -> Status:
    """The status that a ticket filed by `person` begins with. Raises TooManyTickets past the limit.

    Until the transaction ends, nobody else files in the name of this person: what is counted is all there is.
    (On SQLite that holds for every transaction.)
    """
    if connection.features.has_select_for_update:
        own = get_user_model().objects.select_for_update(no_key=True).filter(pk=person.pk).order_by()
        own.values_list("pk", flat=True).first()
    status = Status.objects.annotate(limit_since=Subquery(_last_allowed(person))).default_for(Phase.NEW)
    if wait := _wait(person, status.limit_since):
        raise TooManyTickets(wait)
    return status


def wait_for(person) -> timedelta | None:
    """How long `person` has to wait before the next ticket; None: not at all."""
    return _wait(person, _last_allowed(person).first())


def _last_allowed(person) -> QuerySet:
    """When the oldest of the newest TICKETS_PER_HOUR tickets was filed; empty where there are fewer."""
    filed = ActivityLog.objects.filter(
        actor=person.pk, verb=Verb.CREATED, source__in=(actor.WEB, actor.EMAIL)
    ).order_by("-pk")
    last = settings.TICKETS_PER_HOUR
    return filed.values_list("recorded_at", flat=True)[last - 1 : last]


def _wait(person, limit_since) -> timedelta | None:
    wait = limit_since + HOUR - timezone.now() if limit_since else timedelta()
    # Who is staff is asked of the database, so last.
    return wait if wait > timedelta() and not person.is_staff else None
