"""Merging tickets, undoing a merge, and splitting a message into a new ticket."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from tickets.actions import merging, splitting
from tickets.admin.ticket.neighbours import page_url
from tickets.admin.ticket.parts import Part
from tickets.forms.linking import MergeForm, SplitForm, candidates
from tickets.models import Comment, Ticket
from tickets.rules.refusals import reason_of
from tickets.search.query import MAX_LENGTH, ticket_number
from tickets.views.attachments import unavailable_if_refused


class PageOfItsOwn(Part):
    def render(self, request, ticket: Ticket, name: str, **context) -> TemplateResponse:
        """Renders the page `name` about `ticket`, with a link back to its own page."""
        context = {
            **self.model_admin.admin_site.each_context(request),
            "opts": self.model_admin.opts,
            "original": ticket,
            "back_url": page_url(request, ticket.pk),
            **context,
        }
        return TemplateResponse(request, f"admin/tickets/ticket/{name}.html", context)


class Merging(PageOfItsOwn):
    def urls(self):
        return [
            self.path("merge", self.merge_view, "merge"),
            self.path("unmerge", self.unmerge_view, "unmerge"),
        ]

    def context(self, request, page):
        if not page.ticket.has_merged:
            return {}
        return {"merged": page.ticket.merged.select_related("requester").order_by("pk")}

    def merge_view(self, request, pk):
        """Asks for the target, shows the effect, then merges."""
        ticket = self.ticket_or_404(request, pk)
        if ticket.is_merged:
            return HttpResponseRedirect(page_url(request, pk))
        about = {"ticket": ticket, "author": request.user}
        words = request.GET.get("into", "").strip()[:MAX_LENGTH]
        if request.method == "POST":
            form = MergeForm(request.POST, **about)
            if form.is_valid() and (target := form.save()):
                text = _("#%(number)d was merged into this ticket.") % {"number": pk}
                messages.success(request, text)
                return HttpResponseRedirect(page_url(request, target.pk))
        elif ticket_number(words):
            form = MergeForm({"into": words}, **about)
        else:
            form = MergeForm(initial={"into": words}, **about)
        found = [] if form.target else candidates(ticket, "" if form.is_bound else words, user=request.user)
        context = {"form": form, "words": "" if form.is_bound else words, "candidates": found}
        title = _("Merge #%(number)d into another ticket") % {"number": pk}
        return self.render(request, ticket, "merge", title=title, **context)

    @method_decorator(require_POST)
    def unmerge_view(self, request, pk):
        ticket = self.ticket_or_404(request, pk)
        try:
            target = merging.undo(ticket)
        except ValidationError as error:
            messages.warning(request, reason_of(error))
        else:
            words = {"target": target.pk}
            messages.success(request, _("Merge into #%(target)d undone.") % words)
        return HttpResponseRedirect(page_url(request, pk))


class Splitting(PageOfItsOwn):
    def urls(self):
        return [self.path("split/<int:comment>", self.split_view, "split")]

    def split_view(self, request, pk, comment):
        ticket = self.ticket_or_404(request, pk)
        comments = Comment.objects.filter(ticket__in=Ticket.objects.on_page_of(ticket), is_public=True)
        comments = comments.select_related("author", "ticket__category", "ticket__requester")
        comment = get_object_or_404(comments, pk=comment)
        if there := splitting.split_already(comment):
            return HttpResponseRedirect(page_url(request, there.pk))
        form = SplitForm(request.POST or None, comment=comment, author=request.user)
        if request.method == "POST" and form.is_valid() and (new := form.save()):
            messages.success(request, _("Ticket created from the message."))
            return HttpResponseRedirect(page_url(request, new.pk))
        title = _("Split a message of #%(number)d into a new ticket") % {"number": pk}
        page = self.render(request, ticket, "split", title=title, form=form, comment=comment)
        return unavailable_if_refused(page, form)
