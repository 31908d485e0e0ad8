"""The one mail that tells a person of all tickets which somebody who left leaves."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from tickets.models import Category, Handover, Notification, Ticket
from tickets.notifications import threads
from tickets.notifications.digest import Section
from tickets.notifications.rules import Audience

LISTED = 25  # tickets


def words(notification: Notification) -> dict:
    """The words of the mail; its tickets as they are now."""
    handover = Handover.objects.select_related("person").get(batch=notification.batch)
    is_yours = notification.reason == Audience.ASSIGNEE
    numbers = _numbers(handover, notification)
    tickets = Ticket.objects.filter(pk__in=numbers[:LISTED]).order_by("pk")
    query = "phase=open&who=mine" if is_yours else "phase=open&who=unassigned"
    return {
        "folder": "handed_over",
        "person_before": handover.person,
        "has_left": not handover.person.works,
        "is_yours": is_yours,
        "count": len(numbers),
        "sections": [_section(ticket) for ticket in tickets],
        "more": max(0, len(numbers) - LISTED),
        "url": f"{settings.SITE_URL}{reverse('admin:tickets_ticket_changelist')}?{query}",
        "foot_links": [threads.choose_link()],
        "reason": _("You get this mail because %(why)s.") % {"why": Audience(notification.reason).label},
    }


def _numbers(handover: Handover, notification: Notification) -> list[int]:
    """The tickets that the person is told of, by number."""
    person = notification.person_id if notification.reason == Audience.ASSIGNEE else None
    rows = handover.assignments.values_list("ticket_id", "changes", "ticket__category")
    if notification.reason == Audience.CATEGORY:
        own = Category.people.through.objects.filter(user=notification.person)
        rows = rows.filter(ticket__category__in=own.values("category"))
    return [number for number, changes, _category in rows if changes["assignee"][1] == person]


def _section(ticket: Ticket) -> Section:
    return Section(f"#{ticket.pk} {ticket.subject}", settings.SITE_URL + ticket.get_absolute_url(), [])
