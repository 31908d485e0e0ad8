"""Who has a ticket open, and what is new since somebody last had."""

from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from accounts.validators import is_number
from tickets import timeline
from tickets.admin.page import TicketPage
from tickets.models import Visit

NEWS_SHOWN = 5


class VisitsMixin(TicketPage):
    def get_urls(self):
        return [self.page_path("seen", self.seen_view, "seen"), *super().get_urls()]

    def page_context(self, request, ticket):
        context = super().page_context(request, ticket)
        visit = Visit.objects.filter(person=request.user, ticket=ticket).first()
        entries = [entry for fold in context["folds"] for entry in fold.entries]
        news = [entry for entry in entries if visit and entry.number > visit.seen_number and not entry.is_you]
        return {
            **context,
            "last_visit": visit,
            "news": news[-NEWS_SHOWN:],
            "more_news": max(0, len(news) - NEWS_SHOWN),
            "present": self._others(request, ticket),
        }

    @method_decorator(require_POST)
    def seen_view(self, request, pk):
        """The page says that it is open, and up to which row of the log it shows the story."""
        ticket = self.ticket_or_404(request, pk)
        number = request.POST.get("after", "")
        number = min(int(number), timeline.end_of_log(ticket)) if is_number(number) else 0
        Visit.objects.record(
            person=request.user, ticket=ticket, number=number, is_leaving="leaving" in request.POST
        )
        context = {"present": self._others(request, ticket)}
        return render(request, "admin/tickets/ticket/includes/present.html", context)

    def _others(self, request, ticket) -> list:
        visits = Visit.objects.present().filter(ticket=ticket).exclude(person=request.user)
        return [visit.person for visit in visits.select_related("person")]
