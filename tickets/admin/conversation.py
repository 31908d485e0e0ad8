"""The conversation on the ticket's page: what the site's views do, for staff, on their own page."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.decorators import method_decorator

from tickets import owner_words, timeline
from tickets.admin.neighbours import neighbours, queue_query, queue_url
from tickets.admin.page import TicketPage
from tickets.models import Draft, Ticket
from tickets.notifications.directory import OneTicketDirectory
from tickets.views.conversation import NoteView, ReplyView, TakeBackView, after_number
from tickets.views.muting import MailView
from tickets.views.tickets import comment_forms
from tickets.views.transitions import TicketReopenView

NAMES = {
    "take_back": "admin:tickets_ticket_take_back",
    "reopen": "admin:tickets_ticket_reopen",
    "ticket": "admin:tickets_ticket_change",
}


def names_for(ticket: Ticket) -> dict[str, str]:
    """The addresses that the entries of the story lead to; "split" goes on with the number of a message."""
    return {**NAMES, "split": f"{queue_url()}{ticket.pk}/split/"}


class OnTheAdminPage:
    """A view of the site about one ticket that is shown on, and leads back to, the page of the admin.

    It asks for the login itself and not through admin_view(), so that what was typed waits behind it.
    """

    model_admin: TicketPage = None

    @method_decorator(login_not_required)
    def dispatch(self, request, *args, **kwargs):
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        if not self.model_admin.admin_site.has_permission(request):
            return redirect_to_login(self.page_url(), reverse("admin:login"))
        if not self.model_admin.has_change_permission(request):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def handle_no_permission(self):
        keep_typed = getattr(super(), "handle_no_permission", None)
        return keep_typed() if keep_typed else redirect_to_login(self.page_url())

    def get_form_kwargs(self):
        return {**super().get_form_kwargs(), "source": Ticket.Source.ADMIN}

    def page_url(self, ticket: Ticket | None = None) -> str:
        return self.model_admin.page_url(self.request, ticket.pk if ticket else self.kwargs["pk"])

    def page_with(self, **forms):
        return self.model_admin.page_with(self.request, self.object.pk, **forms)


class AdminReplyView(OnTheAdminPage, ReplyView):
    pass


class AdminNoteView(OnTheAdminPage, NoteView):
    pass


class AdminTakeBackView(OnTheAdminPage, TakeBackView):
    pass


class AdminReopenView(OnTheAdminPage, TicketReopenView):
    pass


class AdminMailView(OnTheAdminPage, MailView):
    pass


class ConversationMixin(TicketPage):
    def get_urls(self):
        views = {
            "reply": AdminReplyView,
            "note": AdminNoteView,
            "reopen": AdminReopenView,
            "mail": AdminMailView,
        }
        return [
            *(
                path(f"<int:pk>/{name}/", view.as_view(model_admin=self), name=f"tickets_ticket_{name}")
                for name, view in views.items()
            ),
            path(
                "<int:pk>/take-back/<int:comment>/",
                AdminTakeBackView.as_view(model_admin=self),
                name="tickets_ticket_take_back",
            ),
            self.page_path("timeline", self.timeline_view, "timeline"),
            *super().get_urls(),
        ]

    def page_context(self, request, ticket):
        directory = OneTicketDirectory(ticket, request.user)
        story, words = timeline.read(ticket, request.user, find_people=directory.people)
        entries = timeline.entries(story, words, whole=request.GET.get("whole", ""))
        directory.introduce()
        return {
            **super().page_context(request, ticket),
            "folds": timeline.folded(entries),
            "names": names_for(ticket),
            "why_assigned": owner_words.why(ticket, story.rows, words),
            "last_number": timeline.end_of(entries),
            "attachments": ticket.files_of_its_own,
            "actions": {"reopen": ticket.may_be_reopened_by(request.user)},
            "watchers": ticket.watching,
            "is_muted": request.user.pk in directory.around.muted_by,
            **comment_forms(request, ticket, directory),
            "details_draft": self._details_draft(request, ticket, directory),
            "neighbours": (around := neighbours(self, request, ticket)),
            "acts_query": queue_query(request, around),
        }

    @staticmethod
    def _details_draft(request, ticket: Ticket, directory: OneTicketDirectory) -> Draft | None:
        if request.user.pk not in directory.around.drafts_of:
            return None
        own = Draft.objects.filter(person=request.user, ticket=ticket, kind=Draft.Kind.DETAILS)
        return own.newest_first().first()

    def timeline_view(self, request, pk):
        """What is new past ?after=, with the facts as they are now; 204 where nothing is."""
        ticket = Ticket.objects.only("pk").saying_whether_merged().visible_one(pk, request.user)
        after = after_number(request)
        last = ticket and timeline.last_number(ticket, request.user, after=after)
        if last == 0:
            return HttpResponse(status=204)
        ticket = self.ticket_or_404(request, pk)
        form = self.get_form(request, ticket, change=True)(instance=ticket)
        context = {
            "ticket": ticket,
            "original": ticket,
            "timeline": timeline.entries_for(ticket, request.user, after=after),
            "taken_back": timeline.taken_back(ticket, after=after),
            "actions": {"reopen": ticket.may_be_reopened_by(request.user)},
            "names": names_for(ticket),
            "last_number": last,
            "facts_form": form,
            "why_assigned": owner_words.why_assigned(ticket, reader=request.user),
            "is_live": True,
        }
        return render(request, "admin/tickets/ticket/news.html", context)
