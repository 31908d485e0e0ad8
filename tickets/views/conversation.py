"""What people say on a ticket's page: replies, notes, drafts, watchers."""

from math import ceil

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, View
from django.views.generic.detail import SingleObjectMixin

from accounts.validators import is_number
from tickets import claiming, conversation, timeline
from tickets.filing_limit import TooManyTickets
from tickets.forms.conversation import CommentForm, NoteForm, ReplyForm, WatcherForm
from tickets.models import Comment, Draft, Ticket
from tickets.views.attachments import later_if_unavailable
from tickets.views.drafts import DraftMixin, KeepDraftView
from tickets.views.tickets import TicketDetailView, VisibleTicketsMixin, absent_when_gone

HOUR = 3600  # seconds


def after_number(request) -> int:
    """The row of the log that the page ends with (?after=); 0 for anything that is no number."""
    after = request.GET.get("after", "")
    return int(after) if is_number(after) else 0


class TicketActMixin(VisibleTicketsMixin, SingleObjectMixin):
    """A POST about one ticket that leads back to its page."""

    http_method_names = ["post", "options"]

    def setup(self, request, *args, **kwargs):
        super().setup(request, *args, **kwargs)
        self.object = None

    def dispatch(self, request, *args, **kwargs):
        with absent_when_gone(kwargs["pk"]):
            return super().dispatch(request, *args, **kwargs)

    def page_url(self, ticket: Ticket | None = None) -> str:
        """The page of `ticket`, or of the one that the address names."""
        return reverse("tickets:detail", args=[ticket.pk if ticket else self.kwargs["pk"]])

    def page_with(self, **forms):
        """The ticket's page with a form that was refused; what was typed stands in it."""
        page = TicketDetailView(object=self.object)
        page.setup(self.request, pk=self.object.pk)
        return render(self.request, page.template_name, page.get_context_data(**forms))


class TrimmedView(VisibleTicketsMixin, SingleObjectMixin, View):
    """What was cut from the mail that a message came in by, for everybody who reads the message."""

    http_method_names = ["get", "head", "options"]

    def get(self, request, *args, **kwargs):
        told = Ticket.objects.telling(self.get_object()).values("pk")
        comments = Comment.objects.filter(ticket__in=told).visible_to(request.user).exclude(trimmed="")
        comment = get_object_or_404(comments, pk=kwargs["comment"])
        return render(request, "tickets/includes/trimmed.html", {"text": comment.trimmed})


class CommentView(DraftMixin, TicketActMixin, FormView):
    form_class: type[CommentForm]
    draft_body = "body"

    @property
    def draft_kind(self) -> str:
        return self.form_class.kind

    def handle_no_permission(self):
        super().handle_no_permission()
        return redirect_to_login(self.page_url())

    def post(self, request, *args, **kwargs):
        self.object = self.get_object()
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "ticket": self.object, "author": self.request.user}

    def form_valid(self, form):
        try:
            said = form.save()
        except TooManyTickets as error:
            form.wait = error.wait
            form.add_error("body", str(error))
            return self.form_invalid(form)
        if said is None:
            return self.form_invalid(form)
        self.forget_draft()
        self.tell(said, form)
        if isinstance(said, Ticket):
            return redirect(self.page_url(said))
        return redirect(f"{self.page_url(said.ticket)}#message-{said.pk}")

    def form_invalid(self, form):
        page = self.page_with(**{f"{form.kind}_form": form})
        if form.wait:
            page.status_code = 429
            page["Retry-After"] = str(ceil(form.wait.total_seconds()))
        return later_if_unavailable(page, form)

    def tell(self, said: Comment | Ticket, form: CommentForm) -> None:
        raise NotImplementedError


class ReplyView(CommentView):
    form_class = ReplyForm

    def tell(self, said, form):
        self.tell_reply(said)
        if form.cleaned_data.get("claims") and isinstance(said, Comment):
            self.tell_claim(said.ticket)

    def tell_claim(self, ticket: Ticket) -> None:
        """Whether the ticket went to the author, as was ticked, or who was faster."""
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
                _("%(old)s was done long ago, so this is a new ticket that names it: %(new)s.") % words,
            )
        elif said.ticket_id != self.object.pk:
            words = {"old": f"#{self.object.pk}", "new": f"#{said.ticket_id}"}
            text = _("Your reply is sent. It stands here, because %(old)s was merged into %(new)s.")
            messages.success(self.request, text % words)
        elif said.is_thanks:
            messages.success(self.request, _("Your thanks are sent. The ticket stays done."))
        elif self.object.is_done and not said.ticket.is_done:
            messages.success(self.request, _("Your reply is sent, and the ticket is open again."))
        else:
            messages.success(self.request, _("Your reply is sent."))


class NoteView(CommentView):
    form_class = NoteForm

    def get_queryset(self):
        if not self.request.user.is_staff:
            raise Http404
        return super().get_queryset()

    def tell(self, said, form):
        messages.success(self.request, _("The note is saved. Only staff can read it."))


class TakeBackView(TicketActMixin, View):
    def post(self, request, pk, comment):
        self.object = self.get_object()
        own = Comment.objects.filter(ticket=self.object, author=request.user)
        comment = get_object_or_404(own.prefetch_related("attachments"), pk=comment)
        had_files = bool(comment.attachments.all())
        try:
            conversation.take_back(comment, author=request.user)
        except conversation.TooLate:
            messages.warning(request, _("It is too late: the mail is on its way already."))
            return redirect(self.page_url(self.object.merged_into))
        self.tell(had_files)
        return redirect(f"{self.page_url(self.object.merged_into)}#reply")

    def tell(self, had_files: bool) -> None:
        words = [_("Your reply is taken back, and it is mailed to nobody. Its text is a draft again.")]
        if had_files:
            words.append(_("Its files are gone. Please choose them again."))
        messages.success(self.request, " ".join(words))


class DraftView(TicketActMixin, KeepDraftView):
    """Keeps what is typed on a ticket's page."""

    kinds = (Draft.Kind.REPLY, Draft.Kind.NOTE, Draft.Kind.DETAILS)
    kinds_of_staff = (Draft.Kind.NOTE, Draft.Kind.DETAILS)

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
            "may_try": self.request.user.is_staff or self.count_try(dry_run=True),
        }

    def count_try(self, **kwargs) -> bool:
        """Few unknown addresses an hour: nobody tries out who has an account. Returns False past them."""
        return ratelimit.consume(self.request, action="unknown_watcher", **kwargs)

    def form_valid(self, form):
        person = form.save()
        messages.success(
            self.request, _("%(person)s watches this ticket now and can answer on it.") % {"person": person}
        )
        return redirect(self.object)

    def form_invalid(self, form):
        page = self.page_with(watcher_form=form)
        if form.has_error("email", "too_many"):
            page.status_code = 429
            page["Retry-After"] = str(HOUR)
        elif form.has_error("email", "unknown"):
            self.count_try()
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
        messages.success(request, _("You don't watch #%(number)d any more.") % {"number": ticket.pk})
        return redirect("tickets:list")


class TimelineView(View):
    """The fragment behind live updates: what is new past ?after=, or 204."""

    http_method_names = ["get", "options"]

    def get(self, request, pk):
        tickets = Ticket.objects.only("pk").saying_whether_merged()
        ticket = tickets.visible_one(pk, request.user)
        if ticket is None:
            raise Http404
        after = after_number(request)
        last = timeline.last_number(ticket, request.user, after=after)
        if not last:
            return HttpResponse(status=204)
        page = TicketDetailView()
        page.setup(request, pk=pk)
        page.object = ticket = page.get_object()
        entries = page.entries(after=after)
        context = page.facts() | {
            "timeline": entries,
            "taken_back": timeline.taken_back(ticket, after=after),
            "last_number": last,
            "is_live": True,
        }
        return render(request, "tickets/ticket_news.html", context)
