"""Similar tickets, on a ticket's page: how they were answered, and the category that they suggest."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.validators import number_or_none
from tickets.actions import claiming
from tickets.admin.ticket.neighbours import page_url
from tickets.admin.ticket.parts import Part
from tickets.admin.ticket.taking import seen_in
from tickets.models import Category, NotStaff, Ticket
from tickets.models.ticket_owner import working
from tickets.rules.refusals import reason_of
from tickets.search.precedents import Precedents


class Similar(Part):
    def urls(self):
        return [self.path("similar", self.apply_view, "similar")]

    def context(self, request, page):
        precedents = Precedents(page.ticket, request.user)
        may_change = self.model_admin.has_change_permission(request, page.ticket)
        return {
            "similar_tickets": precedents.shown,
            "suggestion": precedents.suggestion if may_change else None,
            "may_link": may_change and not page.ticket.is_merged,
        }

    @method_decorator(require_POST)
    def apply_view(self, request, pk):
        """Moves the ticket to the suggested category and person, where it still is as the page showed it."""
        with transaction.atomic():
            ticket = self.ticket_or_404(request, pk, lock=True)
            category, person = _number(request, "category"), _number(request, "assignee")
            if ticket.category_id != _number(request, "seen_category") or ticket.is_done or ticket.is_merged:
                messages.warning(request, _("This ticket was changed by someone else. Nothing was changed."))
            else:
                self._apply(request, ticket, category, person)
        return HttpResponseRedirect(page_url(request, pk))

    def _apply(self, request: HttpRequest, ticket: Ticket, category: int | None, person: int | None) -> None:
        category = Category.objects.active().filter(pk=category).first()
        person = working(person)
        if category is None:
            messages.warning(request, _("This category is not active any more. Nothing was changed."))
            return
        try:
            if person:
                claiming.validate_owner(ticket, person, seen=seen_in(request))
                ticket.assignee = person
            ticket.category = category
            ticket.save(update_fields=["category", "assignee"])
        except (ValidationError, NotStaff) as error:
            messages.warning(request, reason_of(error))
            return
        words = {"number": ticket.pk, "category": category, "name": person}
        if person:
            text = _("#%(number)d is now in %(category)s and assigned to %(name)s.")
        else:
            text = _("#%(number)d is now in %(category)s.")
        messages.success(request, text % words)


def _number(request: HttpRequest, name: str) -> int | None:
    return number_or_none(request.POST.get(name, ""))
