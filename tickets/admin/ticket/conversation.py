"""The conversation on the ticket's page: the portal's views, used within the admin."""

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path, reverse

from tickets.admin.ticket import joined
from tickets.admin.ticket.neighbours import FILTERS, neighbours, page_url, queue_query, queue_url
from tickets.admin.ticket.parts import EditConflict, Part, page_of
from tickets.admin.ticket.sending import find_way, ways_to_send
from tickets.admin.ticket.visits import typists_context
from tickets.models import Comment, NotStaff, Ticket, Visit
from tickets.views.conversation import NoteView, ReplyView, TakeBackView, after_number
from tickets.views.muting import MailView
from tickets.views.ticket_page import newest_number
from tickets.views.transitions import TicketReopenView


class OnTheAdminPage:
    """A view of the portal that renders and redirects to the ticket's page in the admin."""

    part: Part = None

    def dispatch(self, request, *args, **kwargs):
        if not self.part.model_admin.admin_site.has_permission(request):
            return redirect_to_login(self.page_url(), reverse("admin:login"))
        if not self.part.model_admin.has_change_permission(request):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "source": Ticket.Source.ADMIN}

    def page_url(self, ticket: Ticket | None = None) -> str:
        return page_url(self.request, ticket.pk if ticket else self.kwargs["pk"])

    def page_with(self, **forms):
        return self.part.page_with(self.request, self.object.pk, **forms)


class DetailsRefused(Exception):
    """The details that came with a reply are not valid, so nothing is saved."""


class AdminReplyView(OnTheAdminPage, ReplyView):
    """A reply, what becomes of the ticket with it (WaysToSend), and the ticket that opens afterwards.

    Without JavaScript it comes with the details (joined), and both are saved or none.
    """

    next_url = ""

    def get_form_kwargs(self):
        kwargs = super().get_form_kwargs()
        data = kwargs["data"].copy()
        if joined.are_sent(self.request):
            for name in ("status", "waiting_for", "wakes_on"):  # those of the details
                data.pop(name, None)
        if way := find_way(self.object, self.request.POST.get("then", "")):
            data.update({"status": way.status.pk, "waiting_for": way.waiting_for})
        return {**kwargs, "data": data}

    def form_valid(self, form):
        self.remember_what_opens()
        if self.request.user.opens_next:
            # Asked before the act, which may move the ticket in the queue or out of it.
            beside = neighbours(self.part.model_admin, self.request, self.object)
            queue = queue_url(self.request.GET.get(FILTERS, ""))
            self.next_url = page_url(self.request, beside.next) if beside.next else queue
        try:
            return super().form_valid(form)
        except DetailsRefused:
            return self.form_invalid(form)
        except EditConflict as conflict:
            joined.keep_reply(self.request, self.object)
            return self.part.model_admin.conflict_page(self.request, conflict.form)

    def save(self, form):
        if not joined.are_sent(self.request):
            return super().save(form)
        with transaction.atomic():
            self.save_details()
            said = super().save(form)
            transaction.set_rollback(said is None)
        return said

    def save_details(self) -> None:
        """Saves the details that came with the reply. Raises DetailsRefused or EditConflict."""
        ticket = self.part.ticket_or_404(self.request, self.object.pk, lock=True)
        details = joined.details_sent(self.part.model_admin, self.request, ticket)
        if not joined.are_changed(details):
            return
        if not details.is_valid():
            raise DetailsRefused
        if details.conflicts:
            raise EditConflict(details)
        try:
            details.save()
        except NotStaff as error:  # the assignee stopped working after validation; now the form says so
            raise DetailsRefused from error
        joined.forget_details(self.request, ticket)

    def page_with(self, **forms):
        """Shows the details as they were typed, too."""
        if joined.are_sent(self.request):
            ticket = self.part.ticket_or_404(self.request, self.object.pk)
            forms["details_form"] = joined.details_sent(self.part.model_admin, self.request, ticket)
        return super().page_with(**forms)

    def remember_what_opens(self) -> None:
        person, wish = self.request.user, "opens_next" in self.request.POST
        if "asks_next" in self.request.POST and person.opens_next != wish:
            person.opens_next = wish
            get_user_model().objects.filter(pk=person.pk).update(opens_next=wish)

    def url_after(self, said):
        return self.next_url if self.leaves(said) else super().url_after(said)

    def leaves(self, said) -> bool:
        """Whether another page follows: not where the reply became a ticket or stands on another one."""
        return bool(self.next_url) and isinstance(said, Comment) and said.ticket_id == self.object.pk

    def tell_reply(self, said):
        """On another page the message says on which ticket the reply stands, and takes it back."""
        if not self.leaves(said):
            super().tell_reply(said)
            return
        context = {
            "ticket": self.object,
            "ticket_url": page_url(self.request, self.object.pk),
            "take_back_url": reverse("admin:tickets_ticket_take_back", args=[self.object.pk, said.pk]),
            "query": queue_query(self.request),
        }
        text = render_to_string("admin/tickets/ticket/includes/sent.html", context)
        messages.success(self.request, text)


class AdminNoteView(OnTheAdminPage, NoteView):
    pass


class AdminTakeBackView(OnTheAdminPage, TakeBackView):
    pass


class AdminReopenView(OnTheAdminPage, TicketReopenView):
    pass


class AdminMailView(OnTheAdminPage, MailView):
    pass


class Conversation(Part):
    VIEWS = {
        "reply": AdminReplyView,
        "note": AdminNoteView,
        "reopen": AdminReopenView,
        "mail": AdminMailView,
    }

    def urls(self):
        taking_back = AdminTakeBackView.as_view(part=self)
        return [
            *(
                path(f"<int:pk>/{name}/", view.as_view(part=self), name=f"tickets_ticket_{name}")
                for name, view in self.VIEWS.items()
            ),
            path("<int:pk>/take-back/<int:comment>/", taking_back, name="tickets_ticket_take_back"),
            self.path("timeline", self.timeline_view, "timeline"),
        ]

    def context(self, request, page):
        return {
            **page.conversation(),
            "why_assigned": page.why_assigned,
            "opens_note": page.opens_note,
            "ways_to_send": ways_to_send(page.ticket, request.user),
            "may_merge": not page.ticket.is_merged
            and self.model_admin.has_change_permission(request, page.ticket),
        }

    def timeline_view(self, request, pk):
        """Serves live updates: entries after ?after=, with the present details; without new entries only who
        types, and 204 if the page shows that already.
        """
        after = after_number(request)
        last = newest_number(pk, request.user, after=after)
        if not last:
            return self._typists_view(request, pk)
        page = page_of(self.ticket_or_404(request, pk), request, after=after)
        form_class = self.model_admin.get_form(request, page.ticket, change=True)
        context = {
            **page.news(last),
            "original": page.ticket,
            "facts_form": form_class(instance=page.ticket),
            "why_assigned": page.why_assigned,
            **typists_context(_typists(pk, request.user)),
        }
        return render(request, "admin/tickets/ticket/news.html", context)

    @staticmethod
    def _typists_view(request, pk):
        context = typists_context(_typists(pk, request.user))
        if request.GET.get("typists", "") == context["typists_shown"]:
            return HttpResponse(status=204)
        template = "admin/tickets/ticket/includes/typists.html"
        answer = render(request, template, {**context, "is_live": True})
        answer["HX-Reswap"] = "none"  # only what is marked with data-hx-swap-oob
        return answer


def _typists(pk: int, reader) -> list:
    """Returns the other staff who type a reply now."""
    visits = Visit.objects.typing().filter(ticket=pk).exclude(person=reader).order_by("pk")
    return [visit.person for visit in visits.select_related("person")]
