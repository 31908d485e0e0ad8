"""Queues the weekly report for people who want it: once, on Monday in their own time zone.

After a time without a worker it is queued late, for the last week only.
"""

from datetime import UTC, date, datetime

from django.contrib.auth import get_user_model
from django.db import transaction

from helpdesk import clock
from tickets.models import MailPreferences, Notification
from tickets.models.notification import WEEKLY_REPORT
from tickets.notifications import audiences, wishes
from tickets.reports.periods import Span
from tickets.rules.calendar import DAY, monday_of

WEEK = 7 * DAY


def may_read(person) -> bool:
    return person.is_staff and person.has_perm("tickets.view_report")


def may_get(person) -> bool:
    """Whether the report may be sent to the person now."""
    return audiences.is_reachable(person) and may_read(person)


def queue_due() -> int:
    """Queues the reports that are due. Returns how many."""
    now = clock.now()
    people = get_user_model().objects.filter(mail_preferences__weekly_report=True)
    return sum(_queue(person, now) for person in people.select_related("mail_preferences"))


@transaction.atomic
def _queue(person, now: datetime) -> bool:
    """Queues nothing before the first Monday after the choice, and nothing twice."""
    wanted, monday = wishes.of(person), last_monday(person, now)
    known = wanted.weekly_report_for
    if known and known >= monday:
        return False
    # Only one of several workers changes the row.
    row = MailPreferences.objects.filter(pk=wanted.pk, weekly_report=True, weekly_report_for=known)
    if not row.update(weekly_report_for=monday) or known is None or not may_get(person):
        return False
    Notification.objects.create(
        kind=WEEKLY_REPORT,
        person=person,
        address=person.email,
        created_at=now,
        next_try_at=wishes.after_quiet_hours(person, now),
    )
    return True


def last_monday(person, now: datetime) -> date:
    """The last Monday on which the time of the person's daily digest has passed."""
    monday = monday_of(now.astimezone(person.zone).date())
    due = datetime.combine(monday, wishes.of(person).digest_at, tzinfo=person.zone)
    return monday if due.astimezone(UTC) <= now else monday - WEEK


def week_of(notification: Notification) -> Span:
    """The week before the Monday of a queued report."""
    monday = last_monday(notification.person, notification.created_at)
    return Span(monday - WEEK, monday - DAY)
