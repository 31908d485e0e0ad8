"""Who has a ticket open, and what is new since the person last had it open."""

from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from accounts.validators import is_number
from tickets.admin.ticket.parts import Part
from tickets.history import timeline
from tickets.models import Visit

NEWS_SHOWN = 5


def typists_context(typists: list) -> dict:
    """Returns the context of includes/typists.html. A page sends `typists_shown` with its next poll."""
    return {"typists": typists, "typists_shown": ",".join(str(person.pk) for person in typists)}


class Visits(Part):
    def urls(self):
        return [self.path("seen", self.seen_view, "seen")]

    def context(self, request, page):
        visits = {visit.person_id: visit for visit in Visit.objects.shown_to(request.user, page.ticket)}
        visit = visits.pop(request.user.pk, None)
        others = [entry for entry in page.entries if not entry.is_you]
        news = [entry for entry in others if visit and entry.number > visit.seen_number]
        present = [person for person in page.people(visits) if person.works]
        return {
            "last_visit": visit,
            "news": news[-NEWS_SHOWN:],
            "more_news": max(0, len(news) - NEWS_SHOWN),
            "present": present,
            **typists_context([person for person in present if visits[person.pk].is_typing]),
        }

    @method_decorator(require_POST)
    def seen_view(self, request, pk):
        """Records that the page is open, and the last row of the log that it shows."""
        ticket = self.ticket_or_404(request, pk)
        number = request.POST.get("after", "")
        number = min(int(number), timeline.end_of_log(ticket)) if is_number(number) else 0
        Visit.objects.record(
            person=request.user,
            ticket=ticket,
            number=number,
            is_leaving="leaving" in request.POST,
            is_typing="typing" in request.POST,
        )
        context = {"present": self._others(request, ticket)}
        return render(request, "admin/tickets/ticket/includes/present.html", context)

    def _others(self, request, ticket) -> list:
        visits = Visit.objects.present().filter(ticket=ticket).exclude(person=request.user)
        return [visit.person for visit in visits.select_related("person")]
