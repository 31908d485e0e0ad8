from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import CreateView, DeleteView, UpdateView, View

from tickets.actions import drafts
from tickets.actions.filing_limit import TooManyTickets
from tickets.forms.technical import OfferedDetails
from tickets.forms.tickets import EditTicketByStaffForm, EditTicketForm, NewTicketForm
from tickets.models import ActivityLog, Draft, Ticket
from tickets.rules import technical
from tickets.views.attachments import unavailable_if_refused
from tickets.views.drafts import DraftMixin
from tickets.views.own_tickets import own_tickets
from tickets.views.ticket_list import TicketList
from tickets.views.ticket_page import TicketPage, find_ticket


@contextmanager
def not_found_if_deleted(pk: int) -> Iterator[None]:
    """Raises Http404 if the ticket is deleted during the request."""
    try:
        yield
    except (Ticket.DoesNotExist, IntegrityError) as error:
        if Ticket.objects.filter(pk=pk).exists():
            raise
        raise Http404 from error


class VisibleTicketsMixin:
    """Responds with 404 for tickets that the person may not see."""

    model = Ticket

    def get_queryset(self):
        return Ticket.objects.visible_to(self.request.user).with_people()


class LockedTicketMixin(VisibleTicketsMixin):
    """Locks the ticket from the permission check to the end of the request."""

    def get_queryset(self):
        """Locks without joins: PostgreSQL drops a joined row whose status changed while it waited for the
        lock.
        """
        if self.request.method != "POST":
            return super().get_queryset()
        return Ticket.objects.visible_to(self.request.user).select_for_update()

    def dispatch(self, request, *args, **kwargs):
        if request.method != "POST":
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            return super().dispatch(request, *args, **kwargs)


class TicketListView(View):
    def get(self, request):
        """With ?state= the page polls for changes: 204 if there are none."""
        tickets = TicketList(request.user, request.GET)
        if tickets.is_unchanged:
            return HttpResponse(status=204)
        if ticket := tickets.jump:
            return redirect(ticket)
        return render(request, "tickets/ticket_list.html", tickets.context())


class TicketDetailView(View):
    def get(self, request, pk):
        page = TicketPage(find_ticket(pk, request.user), request.user, asked=request.GET)
        return render(request, "tickets/ticket_detail.html", page.context())


class TicketCreateView(DraftMixin, CreateView):
    form_class = NewTicketForm
    template_name = "tickets/ticket_form.html"
    draft_kind = Draft.Kind.TICKET

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "requester": self.request.user, "drafts": self.chosen_drafts}

    @cached_property
    def chosen_drafts(self) -> drafts.Chosen:
        """Only an opened page shows a draft. The draft of a deleted ticket appears on request."""
        if self.request.method == "POST":
            return drafts.NO_DRAFTS
        person, asked = self.request.user, self.request.GET.get("draft", "")
        own = Draft.objects.filter(person=person, ticket=None, kind=Draft.Kind.TICKET).newest_first()
        left = Draft.objects.filter(person=person).of_deleted_tickets().newest_first()
        left = left if person.is_staff else left.exclude(kind=Draft.Kind.NOTE)
        if self._asked_subject and not asked:
            return drafts.choose([], left=[*own, *left])
        return drafts.choose(list(own), left=list(left), asked=asked)

    @property
    def _asked_subject(self) -> str:
        """Returns what was typed into the field on the home page."""
        subject = " ".join(self.request.GET.get("subject", "").split())
        return subject[: Ticket._meta.get_field("subject").max_length]

    def get_initial(self):
        initial = super().get_initial()
        return {**initial, "subject": self._asked_subject} if self._asked_subject else initial

    def get_context_data(self, **kwargs):
        """With text from the home page or of a refused form, the person's similar tickets are shown."""
        context = super().get_context_data(**kwargs)
        text = {name: context["form"][name].value() or "" for name in ("subject", "description")}
        details = OfferedDetails(
            chosen=technical.read(context["form"]["technical"].value() or []),
            browser=self.request.headers.get("User-Agent", ""),
        )
        return {
            **context,
            "own_tickets": own_tickets(self.request.user, **text),
            "technical_details": details,
        }

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
            messages.success(self.request, _("Ticket %(ticket)s submitted. We'll email %(address)s.") % words)
        return redirect(ticket)

    def form_invalid(self, form):
        if form.wait:
            return self._come_back(form, form.wait)
        return unavailable_if_refused(super().form_invalid(form), form)

    def _come_back(self, form, wait: timedelta):
        """Renders the submitted form again. Files must be selected again."""
        page = render(self.request, self.template_name, self.get_context_data(form=form), status=429)
        page["Retry-After"] = str(ceil(wait.total_seconds()))
        return page


class TicketUpdateView(LockedTicketMixin, UpdateView):
    template_name = "tickets/ticket_form.html"

    def get_form_class(self):
        return EditTicketByStaffForm if self.request.user.is_staff else EditTicketForm

    def get_object(self, queryset=None):
        ticket = super().get_object(queryset)
        if not ticket.may_be_edited_by(self.request.user):
            raise PermissionDenied(_("This ticket is solved, so it can't be edited. Reopen it first."))
        return ticket

    def form_valid(self, form):
        if form.conflicts:
            return self._show_conflict(form)
        if form.has_changed():
            form.save()
            messages.success(self.request, _("Changes saved."))
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
                _(
                    "Someone is already working on this ticket. You can't withdraw it, but you can mark it "
                    "as solved."
                )
            )
        return ticket

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs, is_own=self.object.requester == self.request.user)

    def form_valid(self, form):
        number = f"#{self.object.pk}"
        response = super().form_valid(form)
        messages.success(self.request, _("Ticket %(ticket)s withdrawn.") % {"ticket": number})
        return response
