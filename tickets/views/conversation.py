"""Posts from a ticket's page: replies, notes, drafts, watchers. And the live updates of its conversation."""

from math import ceil

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.generic import FormView, View
from django.views.generic.detail import SingleObjectMixin

from accounts.validators import number_or_none
from tickets.actions import claiming, conversation
from tickets.actions.filing_limit import TooManyTickets
from tickets.forms.conversation import CommentForm, NoteForm, ReplyForm, WatcherForm
from tickets.models import Comment, Draft, Ticket
from tickets.views.attachments import unavailable_if_refused
from tickets.views.drafts import WITHOUT_DOOR, DraftMixin, KeepDraftView
from tickets.views.ticket_page import TicketPage, find_ticket, newest_number
from tickets.views.tickets import VisibleTicketsMixin, not_found_if_deleted

HOUR = 3600  # seconds


def after_number(request) -> int:
    """Returns the last row of the log on the page (?after=); 0 if it is not a number."""
    return number_or_none(request.GET.get("after", "")) or 0


class TicketActMixin(VisibleTicketsMixin, SingleObjectMixin):
    """A POST about one ticket that redirects to its page."""

    http_method_names = ["post", "options"]

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.object = None

    def dispatch(self, request, *args, **kwargs):
        with not_found_if_deleted(kwargs["pk"]):
            return super().dispatch(request, *args, **kwargs)

    def page_url(self, ticket: Ticket | None = None) -> str:
        """Returns the URL of `ticket`, or of the ticket of this view."""
        return reverse("tickets:detail", args=[ticket.pk if ticket else self.kwargs["pk"]])

    def page_with(self, **forms):
        """Renders the ticket's page with refused forms that keep the typed text."""
        page = TicketPage(self.object, self.request.user, asked=self.request.GET, refused=forms)
        return render(self.request, "tickets/ticket_detail.html", page.context())


class TrimmedView(VisibleTicketsMixin, SingleObjectMixin, View):
    """Shows the part of an email that was cut from its message, to everybody who may read the message.

    A fragment of the ticket's page for htmx; a page of its own without scripts.
    """

    http_method_names = ["get", "head", "options"]

    def get(self, request, *args, **kwargs):
        tickets = Ticket.objects.on_page_of(self.get_object()).values("pk")
        comments = Comment.objects.filter(ticket__in=tickets).visible_to(request.user).exclude(trimmed="")
        comment = get_object_or_404(comments.select_related("author"), pk=kwargs["comment"])
        is_part = request.headers.get("HX-Request") == "true"
        template = "tickets/includes/trimmed.html" if is_part else "tickets/trimmed.html"
        page = render(request, template, {"comment": comment, "page": kwargs["pk"]})
        patch_vary_headers(page, ["HX-Request"])
        return page


class CommentView(DraftMixin, TicketActMixin, FormView):
    form_class: type[CommentForm]

    @property
    def draft_kind(self) -> str:
        return self.form_class.kind

    def post(self, request, *args, **kwargs):
        self.object = self.get_object()
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "ticket": self.object, "author": self.request.user}

    def form_valid(self, form):
        try:
            said = self.save(form)
        except conversation.RepliedMeanwhile as meanwhile:
            form.unseen = meanwhile.messages
            return self.page_that_asks(form)
        except TooManyTickets as error:
            form.wait = error.wait
            form.add_error("body", str(error))
            return self.form_invalid(form)
        if said is None:
            return self.form_invalid(form)
        self.forget_draft()
        self.tell(said, form)
        return redirect(self.url_after(said))

    def save(self, form: CommentForm) -> Comment | Ticket | None:
        return form.save()

    def url_after(self, said: Comment | Ticket) -> str:
        """Where the message stands: in the conversation, or as the new ticket that it became."""
        if isinstance(said, Ticket):
            return self.page_url(said)
        return f"{self.page_url(said.ticket)}#message-{said.pk}"

    def page_that_asks(self, form):
        """Shows what others wrote meanwhile, above the kept text. Sending again sends it."""
        page = self.page_with(**{f"{form.kind}_form": form})
        page.status_code = 409
        return page

    def form_invalid(self, form):
        page = self.page_with(**{f"{form.kind}_form": form})
        if form.wait:
            page.status_code = 429
            page["Retry-After"] = str(ceil(form.wait.total_seconds()))
        return unavailable_if_refused(page, form)

    def tell(self, said: Comment | Ticket, form: CommentForm) -> None:
        raise NotImplementedError


class ReplyView(CommentView):
    form_class = ReplyForm

    def tell(self, said, form):
        self.tell_reply(said)
        if form.cleaned_data.get("claims") and isinstance(said, Comment):
            self.add_claim_message(said.ticket)

    def add_claim_message(self, ticket: Ticket) -> None:
        """Says whether the ticket was assigned to the author as requested, or who was faster."""
        if ticket.assignee_id == self.request.user.pk:
            text = _("#%(number)d is now assigned to you.") % {"number": ticket.pk}
            messages.success(self.request, text)
        elif ticket.assignee_id is not None:
            messages.warning(self.request, claiming.who_has_it(ticket))

    def tell_reply(self, said) -> None:
        if isinstance(said, Ticket):
            words = {"old": f"#{self.object.pk}", "new": f"#{said.pk}"}
            messages.success(
                self.request,
                _("%(old)s was solved long ago, so your reply created a new ticket: %(new)s.") % words,
            )
        elif said.ticket_id != self.object.pk:
            words = {"old": f"#{self.object.pk}", "new": f"#{said.ticket_id}"}
            text = _("Reply sent. It was added here because %(old)s was merged into %(new)s.")
            messages.success(self.request, text % words)
        elif said.is_thanks:
            messages.success(self.request, _("Reply sent. The ticket stays solved."))
        elif self.object.is_done and not said.ticket.is_done:
            messages.success(self.request, _("Reply sent and ticket reopened."))
        else:
            messages.success(self.request, _("Reply sent."))


class NoteView(CommentView):
    form_class = NoteForm

    def get_queryset(self):
        if not self.request.user.is_staff:
            raise Http404
        return super().get_queryset()

    def tell(self, said, form):
        messages.success(self.request, _("Internal note added. Only staff can read it."))
        if names := ", ".join(map(str, conversation.mentioned_staff(said))):
            messages.success(self.request, _("Mentioned: %(names)s") % {"names": names})


class TakeBackView(TicketActMixin, View):
    def post(self, request, pk, comment):
        self.object = self.get_object()
        own = Comment.objects.filter(ticket=self.object, author=request.user)
        comment = get_object_or_404(own.prefetch_related("attachments"), pk=comment)
        had_files = bool(comment.attachments.all())
        try:
            conversation.take_back(comment, author=request.user)
        except conversation.TooLate:
            messages.warning(request, _("Too late to undo: the email has already been sent."))
            return redirect(self.page_url(self.object.merged_into))
        self.tell(had_files)
        return redirect(f"{self.page_url(self.object.merged_into)}#reply")

    def tell(self, had_files: bool) -> None:
        words = [_("Reply not sent. Restored as a draft.")]
        if had_files:
            words.append(_("Its files were not kept. Choose them again."))
        messages.success(self.request, " ".join(words))


@method_decorator(WITHOUT_DOOR, name="dispatch")
class DraftView(TicketActMixin, KeepDraftView):
    """Saves drafts on a ticket's page."""

    kinds = (Draft.Kind.REPLY, Draft.Kind.NOTE, Draft.Kind.DETAILS)

    def ticket(self) -> Ticket:
        return self.get_object()


class WatcherAddView(TicketActMixin, FormView):
    form_class = WatcherForm

    def post(self, request, *args, **kwargs):
        self.object = self.get_object()
        if not self.object.may_be_shared_by(request.user):
            raise PermissionDenied(_("Only the requester and staff can add watchers."))
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self):
        return {
            **super().get_form_kwargs(),
            "ticket": self.object,
            "people": get_user_model().objects.active().may_be_mailed(),
            "may_try": self.request.user.is_staff or self.count_attempt(dry_run=True),
        }

    def count_attempt(self, **kwargs) -> bool:
        """Limits unknown addresses per hour, so that no one can probe for accounts.

        Returns False above the limit.
        """
        return ratelimit.consume(self.request, action="unknown_watcher", **kwargs)

    def form_valid(self, form):
        person = form.save()
        messages.success(
            self.request, _("%(person)s now watches this ticket and can reply to it.") % {"person": person}
        )
        return redirect(self.object)

    def form_invalid(self, form):
        page = self.page_with(watcher_form=form)
        if form.has_error("email", "too_many"):
            page.status_code = 429
            page["Retry-After"] = str(HOUR)
        elif form.has_error("email", "unknown"):
            self.count_attempt()
        return page


class WatcherRemoveView(TicketActMixin, View):
    def post(self, request, pk, person):
        ticket = self.get_object()
        if person != request.user.pk and not ticket.may_be_shared_by(request.user):
            raise PermissionDenied(_("Only the requester and staff can remove watchers."))
        for watching in get_user_model().objects.filter(pk=person):
            conversation.unwatch(ticket, watching)
        if Ticket.objects.visible_to(request.user).filter(pk=ticket.pk).exists():
            return redirect(ticket)
        messages.success(request, _("You no longer watch #%(number)d.") % {"number": ticket.pk})
        return redirect("tickets:list")


class TimelineView(View):
    """Serves live updates: the entries after ?after=, or 204."""

    http_method_names = ["get", "options"]

    def get(self, request, pk):
        after = after_number(request)
        last = newest_number(pk, request.user, after=after)
        if not last:
            return HttpResponse(status=204)
        page = TicketPage(find_ticket(pk, request.user), request.user, asked=request.GET, after=after)
        return render(
            request, "tickets/ticket_news.html", page.facts() | page.before_reply() | page.news(last)
        )
