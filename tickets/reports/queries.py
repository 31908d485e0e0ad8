"""Aggregates over tickets."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from tickets.models import InboundEmail, Notification, Ticket
from tickets.workflow import Phase


@dataclass(frozen=True)
class Figure:
    """A count of the day, and the admin list that shows what was counted."""

    label: str
    count: int
    list_name: str
    query: str
    is_alarm: bool = False

    @property
    def url(self) -> str:
        return f"{reverse(self.list_name)}?{self.query}"


def day_figures(user) -> list[Figure]:
    """What the start page tells staff: new, unassigned, mine, waiting, and mail that is stuck."""
    counts = Ticket.objects.open().aggregate(
        new=Count("pk", filter=Q(status__phase=Phase.NEW)),
        unassigned=Count("pk", filter=Q(assignee__isnull=True)),
        mine=Count("pk", filter=Q(assignee=user)),
        waiting=Count("pk", filter=Q(status__phase=Phase.WAITING)),
    )
    undelivered = Notification.objects.undelivered().count()
    tickets, outbox = "admin:tickets_ticket_changelist", "admin:tickets_notification_changelist"
    figures = [
        Figure(_("New"), counts["new"], tickets, "phase=new"),
        Figure(_("Unassigned"), counts["unassigned"], tickets, "phase=open&who=unassigned"),
        Figure(_("Mine"), counts["mine"], tickets, "phase=open&who=mine"),
        Figure(_("Waiting"), counts["waiting"], tickets, "phase=waiting"),
        Figure(_("Mail not delivered"), undelivered, outbox, "state=undelivered", is_alarm=undelivered > 0),
    ]
    if settings.INBOUND_DOMAIN:
        quarantined = InboundEmail.objects.filter(state=InboundEmail.State.QUARANTINED).count()
        inbound = "admin:tickets_inboundemail_changelist"
        figures.append(Figure(_("Mail in quarantine"), quarantined, inbound, "state=quarantined"))
    return figures
