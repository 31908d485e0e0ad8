"""Links of a ticket to others, on its page: added, removed, read from both sides."""

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets.admin.page import TicketPage
from tickets.forms.linking import LinkForm
from tickets.models import TicketLink


class LinksMixin(TicketPage):
    def get_urls(self):
        return [
            self.page_path("links", self.link_view, "link"),
            path(
                "<int:pk>/links/<int:link>/remove/",
                self.admin_site.admin_view(self.unlink_view),
                name="tickets_ticket_unlink",
            ),
            *super().get_urls(),
        ]

    def page_context(self, request, ticket):
        return {
            **super().page_context(request, ticket),
            "ticket_links": TicketLink.objects.seen_from(ticket, user=request.user),
            "removable_kinds": LinkForm.SAID,
            "link_form": LinkForm(ticket=ticket),
        }

    @method_decorator(require_POST)
    def link_view(self, request, pk):
        form = LinkForm(request.POST, ticket=self.ticket_or_404(request, pk))
        if not form.is_valid() or not form.save():
            return self.page_with(request, pk, link_form=form)
        words = {"number": form.cleaned_data["number"].pk}
        messages.success(request, _("It is linked to #%(number)d now.") % words)
        return HttpResponseRedirect(self.page_url(request, pk))

    @method_decorator(require_POST)
    def unlink_view(self, request, pk, link):
        ticket = self.ticket_or_404(request, pk)
        own = TicketLink.objects.of(ticket).filter(kind__in=LinkForm.SAID)
        get_object_or_404(own, pk=link).delete()
        messages.success(request, _("The link is removed."))
        return HttpResponseRedirect(self.page_url(request, pk))
