"""Links between tickets on a ticket's page: adding, removing, reading them from both sides."""

from functools import partial

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets.admin.ticket.neighbours import page_url
from tickets.admin.ticket.parts import Part
from tickets.forms.linking import LinkForm
from tickets.models import TicketLink


class Links(Part):
    def urls(self):
        return [
            self.path("links", self.link_view, "link"),
            self.path("links/<int:link>/remove", self.unlink_view, "unlink"),
        ]

    def context(self, request, page):
        return {
            "ticket_links": TicketLink.objects.seen_from(page.ticket, user=request.user),
            "removable_kinds": LinkForm.SAID,
            "link_form": page.refused.get("link_form"),
            # Called where the form is rendered: a process keeps what it looks like.
            "empty_link_form": partial(LinkForm, ticket=page.ticket),
        }

    @method_decorator(require_POST)
    def link_view(self, request, pk):
        form = LinkForm(request.POST, ticket=self.ticket_or_404(request, pk))
        if not form.is_valid() or not form.save():
            return self.page_with(request, pk, link_form=form)
        words = {"number": form.cleaned_data["number"].pk}
        messages.success(request, _("Linked to #%(number)d.") % words)
        return HttpResponseRedirect(page_url(request, pk))

    @method_decorator(require_POST)
    def unlink_view(self, request, pk, link):
        ticket = self.ticket_or_404(request, pk)
        own = TicketLink.objects.of(ticket).filter(kind__in=LinkForm.SAID)
        get_object_or_404(own, pk=link).delete()
        messages.success(request, _("Link removed."))
        return HttpResponseRedirect(page_url(request, pk))
