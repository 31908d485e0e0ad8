"""What the parts of a ticket's page in the admin have in common. Each part is a mixin in a module of its own."""

from collections.abc import Callable

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import URLPattern, path

from accounts.mixins import is_number
from tickets.models import Ticket


class TicketPage(admin.ModelAdmin):
    """A part adds its addresses in get_urls() with page_path(), and what its template needs in page_context()."""

    def page_context(self, request: HttpRequest, ticket: Ticket) -> dict:
        """The context of the page of `ticket`; parts add to what super() returns."""
        return {}

    def page_path(self, route: str, view: Callable, name: str) -> URLPattern:
        """The address `<pk>/<route>/` of a view (request, pk), under the name admin:tickets_ticket_<name>."""
        return path(f"<int:pk>/{route}/", self.admin_site.admin_view(view), name=f"tickets_ticket_{name}")

    def ticket_or_404(self, request: HttpRequest, pk: int, *, lock: bool = False) -> Ticket:
        """Raises Http404, or PermissionDenied where the person may not work on tickets."""
        if not is_number(str(pk)):
            raise Http404
        tickets = Ticket.objects.visible_to(request.user)
        # Not joined when locked: see tickets.views.tickets.LockedTicketMixin.
        tickets = tickets.select_for_update() if lock else tickets.with_people()
        ticket = tickets.filter(pk=pk).first()
        if ticket is None:
            raise Http404
        if not self.has_change_permission(request, ticket):
            raise PermissionDenied
        return ticket
