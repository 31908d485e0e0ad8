"""The day's figures on the portal's home page for staff."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from helpdesk.lists.paging import capped_counts, short
from tickets.models import InboundEmail, Notification, Status, Ticket
from tickets.rules.workflow import Phase


@dataclass(frozen=True)
class Figure:
    """A capped count of the day, with the admin list of the counted rows."""

    label: str
    count: int
    list_name: str
    query: str
    is_alarm: bool = False

    @property
    def words(self) -> str:
        return short(self.count)

    @property
    def url(self) -> str:
        return f"{reverse(self.list_name)}?{self.query}"


def day_figures(user) -> list[Figure]:
    """The figures for staff: new, unassigned, mine, waiting, and undelivered or quarantined email."""
    statuses = list(Status.objects.all())
    tickets = Ticket.objects.all()
    new, unassigned, mine, waiting, undelivered, quarantined = capped_counts(
        (
            tickets.in_phase(Phase.NEW, statuses=statuses),
            tickets.open().unassigned(),
            tickets.open().assigned_to(user),
            tickets.in_phase(Phase.WAITING, statuses=statuses),
            Notification.objects.undelivered(),
            InboundEmail.objects.filter(state=InboundEmail.State.QUARANTINED),
        )
    )
    queue, outbox = "admin:tickets_ticket_changelist", "admin:tickets_notification_changelist"
    figures = [
        Figure(_("New"), new, queue, "phase=new"),
        Figure(_("Unassigned"), unassigned, queue, "phase=open&who=unassigned"),
        Figure(_("Mine"), mine, queue, "phase=open&who=mine"),
        Figure(_("Waiting"), waiting, queue, "phase=waiting"),
        Figure(_("Emails not delivered"), undelivered, outbox, "state=undelivered", is_alarm=undelivered > 0),
    ]
    if settings.INBOUND_DOMAIN:
        inbound = "admin:tickets_inboundemail_changelist"
        figures.append(Figure(_("Emails in quarantine"), quarantined, inbound, "state=quarantined"))
    return figures
