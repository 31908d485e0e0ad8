"""The base class of the parts of a ticket's page. TicketAdmin.PARTS lists them."""

from collections.abc import Callable
from functools import wraps

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import URLPattern, path, reverse

from tickets.models import Ticket
from tickets.views.ticket_page import TicketPage
from tickets.views.tickets import not_found_if_deleted

# Like those of tickets.views.ticket_page, for the page in the admin.
ADDRESSES = {
    "take_back": "admin:tickets_ticket_take_back",
    "reopen": "admin:tickets_ticket_reopen",
    "ticket": "admin:tickets_ticket_change",
}


class EditConflict(Exception):
    """Another person has saved the ticket since this form was shown."""

    def __init__(self, form):
        super().__init__()
        self.form = form


def page_of(ticket: Ticket, request: HttpRequest, **how) -> TicketPage:
    """Builds the page of `ticket` with URLs in the admin. "split" is followed by the number of a message."""
    split = f"{reverse('admin:tickets_ticket_changelist')}{ticket.pk}/split/"
    return TicketPage(ticket, request.user, asked=request.GET, addresses={**ADDRESSES, "split": split}, **how)


class Part:
    """A part of the ticket's page: its URLs, and the context of its template.

    A part knows no other part. Shared data is in the TicketPage that context() receives.
    """

    def __init__(self, model_admin: admin.ModelAdmin):
        self.model_admin = model_admin

    def urls(self) -> list[URLPattern]:
        return []

    def context(self, request: HttpRequest, page: TicketPage) -> dict:
        return {}

    def path(self, route: str, view: Callable, name: str) -> URLPattern:
        """Adds the URL `<pk>/<route>/` for a view (request, pk), named admin:tickets_ticket_<name>."""

        @wraps(view)
        def act(request, pk, **kwargs):
            with not_found_if_deleted(pk):
                return view(request, pk, **kwargs)

        for_staff = self.model_admin.admin_site.admin_view(act)
        return path(f"<int:pk>/{route}/", for_staff, name=f"tickets_ticket_{name}")

    def ticket_or_404(self, request: HttpRequest, pk: int, *, lock: bool = False) -> Ticket:
        """Raises Http404, or PermissionDenied if the person may not work on tickets."""
        tickets = Ticket.objects.visible_to(request.user)
        # No joins with a lock: see tickets.views.tickets.LockedTicketMixin.
        tickets = tickets.select_for_update() if lock else tickets.with_people().with_has_merged()
        ticket = tickets.filter(pk=pk).first()
        if ticket is None:
            raise Http404
        if not self.model_admin.has_change_permission(request, ticket):
            raise PermissionDenied
        return ticket

    def page_with(self, request: HttpRequest, pk: int, **refused):
        """Renders the ticket's page with refused forms, and the stored values beside them."""
        return self.model_admin.render_page(request, self.ticket_or_404(request, pk), refused)
