"""The start page of staff: numbers of the day, who waits, who has how much, email, and the last two weeks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk import clock
from helpdesk.lists.paging import capped_counts, short
from tickets.models import InboundEmail, Notification, Status, Ticket
from tickets.reports import breakdowns, figures
from tickets.reports.breakdowns import Table
from tickets.reports.periods import DAY, Span
from tickets.reports.trend import trend
from tickets.reports.trend_chart import TrendChart
from tickets.reports.urls import tickets_url
from tickets.rules.workflow import Phase

DAYS = 14  # of the chart
MOST_WAITING = 5
LONG_WAIT = timedelta(hours=8)


@dataclass(frozen=True)
class DayNumber:
    """A number with the list that it counts, and a note that helps to judge it."""

    label: str
    count: int
    url: str
    note: str = ""

    @property
    def words(self) -> str:
        return short(self.count)


@dataclass(frozen=True)
class UnansweredTicket:
    ticket: Ticket
    waited: timedelta

    @property
    def age(self) -> str:
        return in_short(self.waited)

    @property
    def is_long(self) -> bool:
        return self.waited >= LONG_WAIT


@dataclass(frozen=True)
class EmailState:
    """One line about email. `url` leads to the emails that need a decision."""

    label: str
    note: str
    url: str = ""

    @property
    def is_problem(self) -> bool:
        return bool(self.url)


@dataclass(frozen=True)
class Overview:
    """`workload` and `chart` belong to the reports: None for who may not read them."""

    numbers: list[DayNumber]
    unanswered: list[UnansweredTicket]
    workload: Table | None
    email: list[EmailState]
    chart: TrendChart | None


def overview(user) -> Overview:
    today = timezone.localdate()
    statuses = list(Status.objects.all())
    open_now = figures.open_now()
    found = trend(Span(today - (DAYS - 1) * DAY, today), open_now=sum(part["count"] for part in open_now))
    reads_reports = user.has_perm("tickets.view_report")
    people = figures.people(row["assignee"] for row in open_now) if reads_reports else {}
    return Overview(
        numbers=list(_numbers(user, today, statuses, found)),
        unanswered=list(unanswered(statuses)),
        workload=breakdowns.workload(open_now, people) if reads_reports else None,
        email=list(_email()),
        chart=TrendChart(found) if reads_reports else None,
    )


def _numbers(user, today, statuses, found) -> Iterator[DayNumber]:
    tickets = Ticket.objects.all()
    waiting = tickets.in_phase(Phase.WAITING, statuses=statuses)
    new, unassigned, mine, on_hold, tomorrow = capped_counts(
        (
            tickets.in_phase(Phase.NEW, statuses=statuses),
            tickets.open().unassigned(),
            tickets.open().assigned_to(user),
            waiting,
            waiting.filter(wakes_on=today + DAY),
        )
    )
    *before, now = found.points
    queue = reverse("admin:tickets_ticket_changelist")
    yield DayNumber(_("New"), new, f"{queue}?phase=new")
    yield DayNumber(_("Unassigned"), unassigned, f"{queue}?phase=open&who=unassigned", _oldest_unassigned())
    yield DayNumber(_("Assigned to you"), mine, f"{queue}?phase=open&who=mine")
    reopening = ngettext("%(count)d reopens tomorrow", "%(count)d reopen tomorrow", tomorrow)
    yield DayNumber(
        _("Waiting"), on_hold, f"{queue}?phase=waiting", reopening % {"count": tomorrow} if tomorrow else ""
    )
    span = now.span
    created = [point.created for point in before]
    solved = [point.solved for point in before]
    yield DayNumber(_("Created today"), now.created, tickets_url(created=span), _usual(created))
    yield DayNumber(_("Solved today"), now.solved, tickets_url(solved=span), _usual(solved))


def _usual(counts: list[int]) -> str:
    return _("usually %(count)d a day") % {"count": round(sum(counts) / len(counts))}


def _oldest_unassigned() -> str:
    oldest = Ticket.objects.open().unassigned().order_by("created_at").values_list("created_at", flat=True)
    moment = oldest.first()
    return _("oldest: %(age)s") % {"age": in_short(_since(moment))} if moment else ""


def unanswered(statuses: list[Status], *, most: int = MOST_WAITING) -> Iterator[UnansweredTicket]:
    """The oldest tickets that wait for a first reply by staff."""
    tickets = Ticket.objects.in_phase(Phase.NEW, Phase.ACTIVE, statuses=statuses).filter(
        first_replied_at=None
    )
    for ticket in tickets.select_related("requester", "assignee").order_by("created_at", "pk")[:most]:
        yield UnansweredTicket(ticket, _since(ticket.created_at))


def _email() -> Iterator[EmailState]:
    waiting, undelivered, quarantined = capped_counts(
        (
            Notification.objects.due(clock.now()),
            Notification.objects.undelivered(),
            InboundEmail.objects.filter(state=InboundEmail.State.QUARANTINED),
        )
    )
    if settings.INBOUND_DOMAIN:
        yield EmailState(_("Receiving"), _last_received())
    if quarantined:
        inbound = reverse("admin:tickets_inboundemail_changelist")
        words = ngettext("%(count)s email in quarantine", "%(count)s emails in quarantine", quarantined)
        yield EmailState(
            words % {"count": short(quarantined)}, _("Staff decide."), f"{inbound}?state=quarantined"
        )
    words = ngettext("%(count)s email is waiting.", "%(count)s emails are waiting.", waiting)
    yield EmailState(
        _("Sending"), words % {"count": short(waiting)} if waiting else _("No email is waiting.")
    )
    if undelivered:
        outbox = reverse("admin:tickets_notification_changelist")
        words = ngettext("%(count)s email not delivered", "%(count)s emails not delivered", undelivered)
        yield EmailState(
            words % {"count": short(undelivered)}, _("Failed or bounced."), f"{outbox}?state=undelivered"
        )


def _last_received() -> str:
    last = InboundEmail.objects.order_by("-received_at").values_list("received_at", flat=True).first()
    return _("Last email: %(age)s ago") % {"age": in_short(_since(last))} if last else _("No email so far.")


def _since(moment: datetime) -> timedelta:
    return max(timezone.now() - moment, timedelta())


def in_short(span: timedelta) -> str:
    """A time span in its largest unit: 12 min, 20 h, 3 days."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 60:
        return _("%(count)d min") % {"count": minutes}
    if minutes < 48 * 60:
        return _("%(count)d h") % {"count": minutes // 60}
    return _("%(count)d days") % {"count": minutes // (24 * 60)}
