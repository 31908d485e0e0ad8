"""Merging a ticket into another one, and undoing it; splitting a message into a ticket of its own."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets import merging, splitting
from tickets.admin.page import TicketPage
from tickets.forms.linking import MergeForm, SplitForm, candidates
from tickets.models import Comment, Ticket
from tickets.search.query import MAX_LENGTH, ticket_number
from tickets.views.attachments import later_if_unavailable


class MergingMixin(TicketPage):
    def get_urls(self):
        return [
            self.page_path("merge", self.merge_view, "merge"),
            self.page_path("unmerge", self.unmerge_view, "unmerge"),
            path(
                "<int:pk>/split/<int:comment>/",
                self.admin_site.admin_view(self.split_view),
                name="tickets_ticket_split",
            ),
            *super().get_urls(),
        ]

    def page_context(self, request, ticket):
        context = super().page_context(request, ticket)
        merged = ticket.merged.select_related("requester").order_by("pk") if ticket.has_merged else ()
        return {**context, "merged": merged}

    def merge_view(self, request, pk):
        """Asks for the target, shows what it means, merges."""
        ticket = self.ticket_or_404(request, pk)
        if ticket.is_merged:
            return HttpResponseRedirect(self.page_url(request, pk))
        about = {"ticket": ticket, "author": request.user}
        words = request.GET.get("into", "").strip()[:MAX_LENGTH]
        if request.method == "POST":
            form = MergeForm(request.POST, **about)
            if form.is_valid() and (target := form.save()):
                text = _("#%(number)d is merged into this ticket.") % {"number": pk}
                messages.success(request, text)
                return HttpResponseRedirect(self.page_url(request, target.pk))
        elif ticket_number(words):
            form = MergeForm({"into": words}, **about)
        else:
            form = MergeForm(initial={"into": words}, **about)
        found = [] if form.target else candidates(ticket, "" if form.is_bound else words, user=request.user)
        context = {"form": form, "words": "" if form.is_bound else words, "candidates": found}
        title = _("Merge #%(number)d into another ticket") % {"number": pk}
        return self._page(request, ticket, "merge", title=title, **context)

    @method_decorator(require_POST)
    def unmerge_view(self, request, pk):
        ticket = self.ticket_or_404(request, pk)
        try:
            target = merging.undo(ticket)
        except ValidationError as error:
            messages.warning(request, " ".join(error.messages))
        else:
            words = {"target": target.pk}
            messages.success(request, _("The merge into #%(target)d is undone.") % words)
        return HttpResponseRedirect(self.page_url(request, pk))

    def split_view(self, request, pk, comment):
        ticket = self.ticket_or_404(request, pk)
        told = Comment.objects.filter(ticket__in=Ticket.objects.telling(ticket), is_public=True)
        told = told.select_related("author", "ticket__category", "ticket__requester")
        comment = get_object_or_404(told, pk=comment)
        if there := splitting.split_already(comment):
            return HttpResponseRedirect(self.page_url(request, there.pk))
        form = SplitForm(request.POST or None, comment=comment, author=request.user)
        if request.method == "POST" and form.is_valid() and (new := form.save()):
            messages.success(request, _("The message is a ticket of its own now. This is it."))
            return HttpResponseRedirect(self.page_url(request, new.pk))
        title = _("Split a message of #%(number)d into a new ticket") % {"number": pk}
        page = self._page(request, ticket, "split", title=title, form=form, comment=comment)
        return later_if_unavailable(page, form)

    def _page(self, request, ticket, name: str, **context) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": ticket,
            "back_url": self.page_url(request, ticket.pk),
            **context,
        }
        return TemplateResponse(request, f"admin/tickets/ticket/{name}.html", context)
