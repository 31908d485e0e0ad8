from django.views.generic import TemplateView

from tickets import rows
from tickets.models import Ticket
from tickets.reports.queries import day_figures

OPEN_TICKETS_SHOWN = 5


class HomeView(TemplateView):
    """A visitor reads what this is, a requester finds the open tickets, staff the way to the queue."""

    template_name = "home.html"

    def get_context_data(self, **kwargs):
        user = self.request.user
        if not user.is_authenticated:
            extra = {}
        elif user.is_staff:
            extra = {"figures": day_figures(user)}
        else:
            own = Ticket.objects.filter(requester=user).open().newest_change_first()
            found = rows.columns_of(own[:OPEN_TICKETS_SHOWN])
            extra = {"open_tickets": rows.rows(found)}
        return super().get_context_data(**kwargs, **extra)


class AboutView(TemplateView):
    template_name = "about.html"
