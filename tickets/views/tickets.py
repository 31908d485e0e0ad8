from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import CreateView, DeleteView, DetailView, TemplateView, UpdateView

from accounts import paging
from tickets import drafts, rows, timeline
from tickets.filing_limit import TooManyTickets
from tickets.forms.conversation import NoteForm, ReplyForm, WatcherForm
from tickets.forms.filters import Show, StaffTicketFilterForm, TicketFilterForm
from tickets.forms.tickets import EditTicketByStaffForm, EditTicketForm, NewTicketForm
from tickets.live import list_state
from tickets.models import ActivityLog, Draft, Status, Ticket, TicketLink
from tickets.notifications.directory import OneTicketDirectory
from tickets.querysets import TicketQuerySet
from tickets.search import passages, spelling
from tickets.search.filters import completions
from tickets.views.attachments import later_if_unavailable
from tickets.views.drafts import DraftMixin, drafts_for
from tickets.workflow import Phase

# The addresses that the entries of the story lead to.
NAMES = {
    "take_back": "tickets:take_back",
    "reopen": "tickets:reopen",
    "ticket": "tickets:detail",
    "split": "",  # nowhere: it is the business of staff, on their page
}


@contextmanager
def absent_when_gone(pk: int) -> Iterator[None]:
    """A ticket that is deleted while somebody acts on it is absent like any other: raises Http404."""
    try:
        yield
    except (Ticket.DoesNotExist, IntegrityError) as error:
        if Ticket.objects.filter(pk=pk).exists():
            raise
        raise Http404 from error


class VisibleTicketsMixin:
    """A ticket that the person may not know of does not exist: 404."""

    model = Ticket

    def get_queryset(self):
        return Ticket.objects.visible_to(self.request.user).with_people()


class LockedTicketMixin(VisibleTicketsMixin):
    """Acts on a ticket whose row stays locked from the check of the right to the end of the act."""

    def get_queryset(self):
        """Locked rows are not joined: PostgreSQL drops one whose status changed during the wait."""
        if self.request.method != "POST":
            return super().get_queryset()
        return Ticket.objects.visible_to(self.request.user).select_for_update()

    def dispatch(self, request, *args, **kwargs):
        if request.method != "POST":
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            return super().dispatch(request, *args, **kwargs)


def without_old_phase(sent: QueryDict) -> QueryDict:
    """What was asked of a list; other words than those `within` which the tab was chosen are asked of all."""
    query = sent.copy()
    within, typed = query.pop("within", None), query.get("q", "").strip()
    if within and typed and typed != within[-1].strip():
        query.pop("phase", None)
    return query


class TicketListView(TemplateView):
    template_name = "tickets/ticket_list.html"
    rows_on_a_page = 25

    def get(self, request, *args, **kwargs):
        """With ?state= it is asked whether something changed since: if not, 204."""
        request.GET = without_old_phase(request.GET)
        self.state = list_state(request.user)
        if request.GET.get("state") == self.state.text:
            return HttpResponse(status=204)
        form_class = StaffTicketFilterForm if request.user.is_staff else TicketFilterForm
        self.filter_form = form_class(request.GET, user=request.user)
        if ticket := self.filter_form.search.jump(Ticket.objects.visible_to(request.user)):
            return redirect(ticket)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs):
        user, form = self.request.user, self.filter_form
        self.matching = [form.filtered(part) for part in self.state.parts]
        self.statuses = list(self._statuses())
        shown = self.request.GET.copy()
        shown.pop("state", None)
        page = self._page(shown)
        by_number = {status.pk: status for status in self.statuses}
        lines = rows.rows(page.rows, statuses=by_number, categories=form.categories)
        return super().get_context_data(
            **kwargs,
            **self._found(lines),
            completions=completions(user, form.categories.values()),
            rows=lines,
            newer_query=page.before and paging.turned(shown, before=page.before),
            older_query=page.after and paging.turned(shown, after=page.after),
            state=self.state.text,
            live_query=shown.urlencode(),
            tabs=self._tabs(shown),
            filter_form=form,
            statuses=[(str(status.pk), status.name) for status in self.statuses],
            is_counted=self.is_counted,
            is_filtered=form.is_filtered,
            is_staff_list=user.is_staff,
        )

    def _statuses(self):
        """All, with how many match.

        Not counted where very many match: to count them by status takes longer than to find 25.
        """
        form, is_staff = self.filter_form, self.request.user.is_staff
        self.is_counted = form.search.finds_few or not is_staff
        if not self.is_counted:
            return Status.objects.all()
        return Status.objects.with_counts(self.matching, are_few=not is_staff or form.search.has_words)

    def _page(self, query: QueryDict) -> paging.Page:
        form, user = self.filter_form, self.request.user
        phases = form.show.phases

        def shown(tickets: TicketQuerySet) -> TicketQuerySet:
            tickets = tickets.in_phase(*phases, statuses=self.statuses)
            return rows.columns_of(tickets, has_requester=user.is_staff, has_text=form.search.has_words)

        if form.is_best_first:
            best = form.filtered(Ticket.objects.visible_to(user)).order_by(*form.search.best_first)
            return paging.Page(list(shown(best)[: self.rows_on_a_page]), [], [])
        parts = [shown(part.newest_change_first()) for part in self.matching]
        return paging.page(parts, query, self.rows_on_a_page)

    def _found(self, lines: list[rows.Row]) -> dict:
        """Why each row was found; where there is none, what may have been meant."""
        asked, user = self.filter_form.search, self.request.user
        found = {"search": asked, "is_best_first": self.filter_form.is_best_first}
        if lines and asked.has_words:
            found["reading_note"] = passages.attach(lines, asked.query, user)
        elif not lines and (meant := spelling.suggestion(asked, Ticket.objects.visible_to(user))):
            query = self.request.GET.copy()
            query["q"] = meant
            found |= {"meant": meant, "meant_url": f"?{paging.turned(query)}"}
        return found

    def _tabs(self, query: QueryDict) -> list[dict]:
        counts = dict.fromkeys(Phase, 0)
        if self.is_counted:
            for status in self.statuses:
                counts[status.phase] += status.count
        query.pop("phase", None)
        others = paging.turned(query)
        tabs = []
        for show in Show:
            tabs.append(
                {
                    "label": show.label,
                    "url": f"?{others}{'&' if others else ''}phase={show.value}",
                    "count": paging.short(sum(counts[phase] for phase in show.phases)),
                    "current": show == self.filter_form.show,
                }
            )
        return tabs


def comment_forms(request, ticket: Ticket, directory: OneTicketDirectory) -> dict:
    """The forms in which the person may say something on `ticket`, with what was typed and not sent."""
    if ticket.is_merged:  # it is only a signpost
        return {}
    classes = {"reply_form": ReplyForm}
    if request.user.is_staff:
        classes["note_form"] = NoteForm
    kinds, found = tuple(form.kind for form in classes.values()), {}
    if request.user.pk in directory.around.drafts_of:
        found = drafts_for(request.user, ticket=ticket, kinds=kinds)
    asked = request.GET.get("draft", "")
    return {
        name: form(
            ticket=ticket,
            author=request.user,
            directory=directory,
            drafts=drafts.choose(found.get(form.kind, []), asked=asked),
        )
        for name, form in classes.items()
    }


class TicketDetailView(VisibleTicketsMixin, DetailView):
    template_name = "tickets/ticket_detail.html"

    def get_object(self, queryset=None):
        tickets = Ticket.objects.select_related("category", "status")
        ticket = tickets.visible_one(self.kwargs["pk"], self.request.user)
        if ticket is None:
            raise Http404
        return ticket

    def get_context_data(self, **kwargs):
        ticket, user = self.object, self.request.user
        entries = self.entries()
        forms = comment_forms(self.request, ticket, self.directory)
        unsent = {name: form for name, form in forms.items() if name not in kwargs}
        if ticket.may_be_shared_by(user):
            kwargs.setdefault("watcher_form", WatcherForm(ticket=ticket, people=None))
        return super().get_context_data(
            **self.facts(),
            **unsent,
            **kwargs,
            folds=timeline.folded(entries),
            last_number=timeline.end_of(entries),
            attachments=ticket.files_of_its_own,
            takes_replies=ticket.takes_replies,
            is_muted=user.pk in self.directory.around.muted_by,
        )

    def entries(self, *, after: int = 0) -> list[timeline.Entry]:
        """The story; whom it is about and who is mailed next is asked together."""
        ticket, user = self.object, self.request.user
        self.directory = OneTicketDirectory(ticket, user)
        whole = self.request.GET.get("whole", "")
        people = self.directory.people
        entries = timeline.entries_for(ticket, user, after=after, find_people=people, whole=whole)
        self.directory.introduce()
        return entries

    def facts(self) -> dict:
        """What stands beside the conversation and changes while it is read."""
        ticket, user = self.object, self.request.user
        return {
            "ticket": ticket,
            "address": ticket.get_absolute_url(),
            "names": NAMES,
            "actions": {
                "edit": ticket.may_be_edited_by(user),
                "withdraw": ticket.may_be_deleted_by(user),
                "close": ticket.may_be_closed_by(user),
                "reopen": ticket.may_be_reopened_by(user),
                "share": ticket.may_be_shared_by(user),
                "admin": user.is_staff,
            },
            "reopen_until": None if ticket.is_merged else ticket.reopen_until,
            "goes_on_at": self.goes_on_at(),
            "watchers": ticket.watching,
            "links": TicketLink.objects.seen_from(ticket, user=user),
        }

    def goes_on_at(self) -> Ticket | None:
        """The ticket that it was merged into, where the person may know of that one."""
        if not self.object.is_merged:
            return None
        return Ticket.objects.visible_to(self.request.user).filter(pk=self.object.merged_into_id).first()


class TicketCreateView(DraftMixin, CreateView):
    form_class = NewTicketForm
    template_name = "tickets/ticket_form.html"
    draft_kind, draft_body, draft_key = Draft.Kind.TICKET, "description", "submission_key"

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "requester": self.request.user, "drafts": self.chosen_drafts}

    @cached_property
    def chosen_drafts(self) -> drafts.Chosen:
        """Only a page that is opened shows one. One of a deleted ticket comes up where it is asked for."""
        if self.request.method == "POST":
            return drafts.NO_DRAFTS
        person, asked = self.request.user, self.request.GET.get("draft", "")
        own = Draft.objects.filter(person=person, ticket=None, kind=Draft.Kind.TICKET).newest_first()
        left = Draft.objects.filter(person=person).of_deleted_tickets().newest_first()
        left = left if person.is_staff else left.exclude(kind=Draft.Kind.NOTE)
        return drafts.choose(list(own), left=list(left), asked=asked)

    def form_valid(self, form):
        try:
            ticket = form.save()
        except TooManyTickets as error:
            form.add_error(None, str(error))
            return self._come_back(form, error.wait)
        if ticket is None:
            return self.form_invalid(form)
        self.forget_draft()
        if form.is_new:
            words = {"ticket": f"#{ticket.pk}", "address": ticket.requester.email}
            messages.success(self.request, _("Ticket %(ticket)s is filed. We write to %(address)s.") % words)
        return redirect(ticket)

    def form_invalid(self, form):
        if form.wait:
            return self._come_back(form, form.wait)
        return later_if_unavailable(super().form_invalid(form), form)

    def _come_back(self, form, wait: timedelta):
        """The form as it was sent; files have to be chosen again."""
        page = render(self.request, self.template_name, {"form": form}, status=429)
        page["Retry-After"] = str(ceil(wait.total_seconds()))
        return page


class TicketUpdateView(LockedTicketMixin, UpdateView):
    template_name = "tickets/ticket_form.html"

    def get_form_class(self):
        return EditTicketByStaffForm if self.request.user.is_staff else EditTicketForm

    def get_object(self, queryset=None):
        ticket = super().get_object(queryset)
        if not ticket.may_be_edited_by(self.request.user):
            raise PermissionDenied(_("This ticket is done, so it can't be edited. Reopen it first."))
        return ticket

    def form_valid(self, form):
        if form.conflicts:
            return self._show_conflict(form)
        if form.has_changed():
            form.save()
            messages.success(self.request, _("Your changes are saved."))
        return redirect(self.object)

    def _show_conflict(self, form):
        context = {
            "ticket": self.object,
            "conflicts": form.conflicts,
            "stored_by": ActivityLog.objects.last_saver(self.object),
            "form": form.renewed(),
        }
        return render(self.request, "tickets/ticket_conflict.html", context, status=409)


class TicketDeleteView(LockedTicketMixin, DeleteView):
    template_name = "tickets/ticket_confirm_delete.html"
    success_url = reverse_lazy("tickets:list")

    def get_object(self, queryset=None):
        ticket = super().get_object(queryset)
        user = self.request.user
        if ticket.merged.exists():
            raise PermissionDenied(_("Other tickets are merged into this one, so it can't be deleted."))
        if not ticket.may_be_deleted_by(user):
            if user.is_staff:
                raise PermissionDenied(_("Only supervisors can delete a ticket."))
            raise PermissionDenied(
                _("Somebody works on this ticket already. You can't withdraw it, but you can close it.")
            )
        return ticket

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs, is_own=self.object.requester == self.request.user)

    def form_valid(self, form):
        number = f"#{self.object.pk}"
        response = super().form_valid(form)
        messages.success(self.request, _("Ticket %(ticket)s is withdrawn.") % {"ticket": number})
        return response
