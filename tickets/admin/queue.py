"""The queue: its own view when it is opened, order by urgency, unread marks, saved views, live rows."""

from copy import copy

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core.exceptions import SuspiciousOperation
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.changelists import StaffChangeList
from accounts.paging import short
from tickets.admin.filters import is_by_change, known, search_of
from tickets.admin.neighbours import queue_url
from tickets.admin.saved_view import shown
from tickets.forms.filters import Show, Sort, Who
from tickets.forms.saved_view import SavedViewForm, normal_query
from tickets.live import list_state
from tickets.models import Category, SavedView, Status, Ticket
from tickets.search import passages, spelling
from tickets.search.filters import completions

OWN_VIEW = f"who={Who.OURS}"
EVERYBODYS = f"phase={Show.OPEN}"
VIEWS_SHOWN = 12


# Fields behind "More filters"; each is called "with_" and the word of the search box that it becomes.
WORDS = ("status", "requester", "assignee", "after", "before", "has")


class TicketChangeList(StaffChangeList):
    completed_by = "search-words"  # the list of what its search box completes
    more_filters = "admin/tickets/ticket/includes/more_filters.html"
    searches_all = True  # new words are asked of all tickets, whatever view was open; filters come after
    meant = meant_url = reading_note = ""

    def get_queryset(self, request, exclude_parameters=None):
        return super().get_queryset(request, exclude_parameters).with_unread(request.user).with_held_mail()

    def get_ordering_field_columns(self):
        """No column is marked as the one that the queue's own order follows."""
        return super().get_ordering_field_columns() if ORDER_VAR in self.params else {}

    def order_walked(self, request):
        asked, is_best_first = search_of(request), self.params.get("sort") == Sort.BEST
        if ORDER_VAR in self.params or not (is_best_first and asked.can_be_weighed):
            return super().order_walked(request)
        self.queryset = self.queryset.order_by(*asked.best_first)
        return None

    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        # Not joined: all categories and statuses are read for the filters anyway.
        for name, model in (("category", Category), ("status", Status)):
            attach(name, known(request, model), self.result_list)
        asked = search_of(request)
        if asked.has_words:
            self.reading_note = passages.attach(self.result_list, asked.query, request.user)
        if self.result_count == 0:
            self.meant = spelling.suggestion(asked, Ticket.objects.visible_to(request.user))
            self.meant_url = self.get_query_string({SEARCH_VAR: self.meant})
        # Without any choice the own view is shown: there is nothing to clear.
        self.has_active_filters = normal_query(request.GET.urlencode()) != normal_query(OWN_VIEW)
        self.clear_all_filters_qs = "?"  # the words go too


def attach(name: str, rows: dict[int, Model], tickets: list[Ticket]) -> None:
    """Gives the field `name` of each ticket its row. One that is new since `rows` were read is read later."""
    for ticket in tickets:
        row = rows.get(getattr(ticket, f"{name}_id"))
        if row:
            setattr(ticket, name, row)


class QueueMixin(admin.ModelAdmin):
    change_list_template = "admin/tickets/ticket/change_list.html"

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("news/", wrap(self.news_view), name="tickets_ticket_news"),
            path("save-view/", wrap(self.save_view), name="tickets_ticket_save_view"),
            *super().get_urls(),
        ]

    def get_changelist(self, request, **kwargs):
        return getattr(request, "changelist", TicketChangeList)  # see neighbours.py

    def get_changelist_instance(self, request):
        """Opened without any filter it shows what waits for the person: mine and unassigned."""
        if not request.GET:
            request = with_query(request, OWN_VIEW)
        return super().get_changelist_instance(request)

    def get_ordering(self, request):
        """What is open: most urgent and oldest first. What is done: newest change first."""
        return ("-updated_at", "-pk") if is_by_change(request) else ("urgency_rank", "created_at", "pk")

    def get_paginator(self, request, queryset, *args, **kwargs):
        """Counts the queue, and in the same question the views above it."""
        paginator = super().get_paginator(request, queryset, *args, **kwargs)
        views = getattr(request, "views", [])
        paginator.beside = [view["tickets"] for view in views]
        for view, count in zip(views, paginator.counts[1:], strict=True):
            view["count"] = short(count)
        return paginator

    def changelist_view(self, request, extra_context=None):
        context = {"view_form": self.view_form(request)}
        context |= extra_context or {}
        if request.method == "GET":
            if SEARCH_VAR in request.GET and not any(map(str.strip, request.GET.values())):
                return HttpResponseRedirect(queue_url())  # the search box was emptied
            if url := with_words(request.GET):
                return HttpResponseRedirect(url)
            asked = search_of(request)
            if ticket := asked.jump(Ticket.objects.visible_to(request.user)):
                return HttpResponseRedirect(self.page_url(request, ticket.pk))
            names = [category.name for category in known(request, Category).values()]
            for sentence in asked.advice:
                messages.warning(request, sentence)
            request.views = self.views(request)
            context |= {
                "completions": completions(request.user, names),
                "statuses": [status.name for status in known(request, Status).values()],
                "state": list_state(request.user).text,
                "views": request.views,
                "live_query": request.GET.urlencode(),
                "query_to_save": request.GET.urlencode() or OWN_VIEW,
            }
        return super().changelist_view(request, context)

    def views(self, request) -> list[dict]:
        """The own view, everybody's and the saved ones, each with the tickets that it shows."""
        saved = SavedView.objects.visible_to(request.user)[:VIEWS_SHOWN]
        names = [_("My queue"), _("Everybody's"), *(view.name for view in saved)]
        kept = (view.query for view in saved)
        queries = [normal_query(query) for query in (OWN_VIEW, EVERYBODYS, *kept)]
        here = normal_query(request.GET.urlencode() or OWN_VIEW)
        return [
            {"name": name, "query": query, "is_here": query == here, **vars(shown(query, self, request))}
            for name, query in zip(names, queries, strict=True)
        ]

    def view_form(self, request, *sent, query: str = "") -> SavedViewForm:
        may_share = request.user.has_perm("tickets.share_savedview")
        return SavedViewForm(*sent, owner=request.user, may_share=may_share, query=query)

    @method_decorator(require_POST)
    def save_view(self, request):
        """Keeps the filters that the queue was shown with under a name."""
        asked = with_query(request, request.POST.get("query", "")[:500].replace("\0", ""))
        form = self.view_form(request, request.POST, query=asked.GET.urlencode())
        if not form.is_valid():
            return self.changelist_view(asked, {"view_form": form})
        try:
            super().get_changelist_instance(asked)
        except (IncorrectLookupParameters, SuspiciousOperation):
            messages.error(request, _("These filters are not understood, so nothing was saved."))
            return HttpResponseRedirect(queue_url())
        view = form.save()
        if view is None:
            return self.changelist_view(asked, {"view_form": form})
        messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
        return HttpResponseRedirect(queue_url(view.query))

    def news_view(self, request):
        """The queue again, where something changed since ?state=; else 204."""
        query = request.GET.copy()
        if query.pop("state", [""])[-1] == list_state(request.user).text:
            return HttpResponse(status=204)
        return self.changelist_view(with_query(request, query.urlencode()))


def with_words(chosen: QueryDict) -> str | None:
    """The address of the queue with what was chosen behind "More filters" in its search box.

    None where nothing of it was sent.
    """
    query = chosen.copy()
    values = {name: query.pop(f"with_{name}", [""])[-1].replace('"', " ").strip() for name in WORDS}
    if query == chosen:
        return None
    words = (
        f'{name}:"{value}"' if " " in value else f"{name}:{value}" for name, value in values.items() if value
    )
    query["q"] = " ".join([query.get("q", ""), *words]).strip()
    if values["status"]:
        query["phase"] = Show.ALL.value
    return queue_url(query.urlencode())


def with_query(request: HttpRequest, query: str) -> HttpRequest:
    """The request as a GET with these filters."""
    asked = copy(request)
    asked.method, asked.GET = "GET", QueryDict(query)
    # What a page calls itself: links and forms of the list are relative to the queue.
    asked.path = queue_url()
    return asked
