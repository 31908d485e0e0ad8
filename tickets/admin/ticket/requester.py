"""The requester's card: other tickets of theirs, and whether email reaches them."""

from tickets.admin.ticket.parts import Part
from tickets.mail import suppression
from tickets.models import Ticket

OTHER_TICKETS_SHOWN = 5


class Requester(Part):
    def context(self, request, page):
        ticket = page.ticket
        others = Ticket.objects.filter(requester=ticket.requester).exclude(pk=ticket.pk)
        others = others.newest_public_change_first().values("pk", "subject", "status__name")
        people = [ticket.requester, *ticket.watching]
        return {
            "other_tickets": others[:OTHER_TICKETS_SHOWN],
            "suppressed": suppression.suppressed_among(person.email for person in people),
        }
