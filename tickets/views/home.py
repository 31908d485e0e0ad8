from django.db.models import Case, Q, When
from django.views.generic import TemplateView

from tickets.models import Ticket
from tickets.reports.queries import day_figures
from tickets.views import rows

OPEN_TICKETS_SHOWN = 5
MOST_TO_REPLY = 20


class HomeView(TemplateView):
    """An introduction for visitors, open tickets for requesters, a link to the queue for staff."""

    template_name = "home.html"

    def get_context_data(self, **kwargs):
        user = self.request.user
        if not user.is_authenticated:
            extra = {}
        elif user.is_staff:
            extra = {"figures": day_figures(user)}
        else:
            extra = self._own_tickets(user)
        return super().get_context_data(**kwargs, **extra)

    def _own_tickets(self, user) -> dict:
        """Returns the open tickets of `user`: first those that need a reply, then the latest changes."""
        is_asked = Q(waiting_for=Ticket.WaitingFor.REQUESTER)
        own = Ticket.objects.filter(requester=user).open().newest_first_for(user)
        own = own.order_by(Case(When(is_asked, then=0), default=1), *own.query.order_by)
        shown = rows.rows(rows.columns_of(own, user)[:MOST_TO_REPLY], user)
        reply_count = sum(row.needs_reply for row in shown)
        return {
            "open_tickets": shown[: max(reply_count, OPEN_TICKETS_SHOWN)],
            "reply_count": reply_count,
            "longest_subject": Ticket._meta.get_field("subject").max_length,
        }


class AboutView(TemplateView):
    template_name = "about.html"
