"""The email about all tickets that were handed over from a person who left."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tickets.mail.writing import threads
from tickets.mail.writing.letter import HandoverLetter, Section
from tickets.models import Category, Handover, Notification, Ticket
from tickets.rules.events import Audience

LISTED = 25  # tickets
# The labels of Audience say "this ticket", but this email is about many.
REASONS = {
    Audience.ASSIGNEE: _("You are receiving this email because these tickets are now assigned to you."),
    Audience.CATEGORY: _(
        "You are receiving this email because you are notified about new tickets in their categories."
    ),
    Audience.FALLBACK: _(
        "You are receiving this email because no one else is notified about their categories."
    ),
}


def letter(notification: Notification) -> HandoverLetter:
    """The email with the current state of the tickets."""
    handover = Handover.objects.select_related("person").get(batch=notification.batch)
    is_yours = notification.reason == Audience.ASSIGNEE
    numbers = _numbers(handover, notification)
    tickets = Ticket.objects.filter(pk__in=numbers[:LISTED]).order_by("pk")
    query = "phase=open&who=mine" if is_yours else "phase=open&who=unassigned"
    return HandoverLetter(
        folder="handed_over",
        person=notification.person,
        person_before=handover.person,
        has_left=not handover.person.works,
        is_yours=is_yours,
        count=len(numbers),
        sections=[_section(ticket) for ticket in tickets],
        more=max(0, len(numbers) - LISTED),
        url=f"{settings.SITE_URL}{reverse('admin:tickets_ticket_changelist')}?{query}",
        foot_links=[threads.choose_link()],
        reason=REASONS[Audience(notification.reason)],
    )


def _numbers(handover: Handover, notification: Notification) -> list[int]:
    """The numbers of the tickets in the email."""
    person = notification.person_id if notification.reason == Audience.ASSIGNEE else None
    rows = handover.assignments.values_list("ticket_id", "changes")
    if notification.reason == Audience.CATEGORY:
        own = Category.people.through.objects.filter(user=notification.person)
        rows = rows.filter(ticket__category__in=own.values("category"))
    return [number for number, changes in rows if changes["assignee"][1] == person]


def _section(ticket: Ticket) -> Section:
    return Section(f"#{ticket.pk} {ticket.subject}", settings.SITE_URL + ticket.get_absolute_url())
