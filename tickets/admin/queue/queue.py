"""The queue: default view, order by urgency, unread marks, saved views, live rows."""

from copy import copy

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from helpdesk.lists.paging import AFTER, short
from helpdesk.lists.requests import with_query
from tickets.admin.queue.changelist import EVERYBODYS, MORE, OWN_VIEW, TicketChangeList
from tickets.admin.queue.context import QueueContext, context_of, is_by_change
from tickets.admin.queue.filters import DefaultFilter
from tickets.admin.queue.saved_view import shown
from tickets.admin.ticket.neighbours import QuerysetAlone, page_url, queue_of, queue_url
from tickets.forms.saved_view import UNKNOWN, SavedViewForm, normal_query, problems, stored_query
from tickets.history.live import list_state
from tickets.models import SavedView, Ticket
from tickets.search.choices import Show
from tickets.search.filters import completions

VIEWS_SHOWN = 12


class QueueMixin(admin.ModelAdmin):
    change_list_template = "admin/tickets/ticket/change_list.html"
    changelist_class = TicketChangeList
    queue_context: QueueContext | None = None  # set on the copy of the ModelAdmin that serves one request

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("news/", wrap(self.news_view), name="tickets_ticket_news"),
            path("save-view/", wrap(self.save_view), name="tickets_ticket_save_view"),
            *super().get_urls(),
        ]

    def for_request(self, request) -> "QueueMixin":
        """Returns a copy of the ModelAdmin for one request, which holds its context."""
        serving = copy(self)
        serving.queue_context = QueueContext(request)
        return serving

    def get_changelist(self, request, **kwargs):
        return self.changelist_class

    def get_changelist_instance(self, request):
        """Without filters, shows the default view: mine and unassigned."""
        if self.queue_context is None:
            return self.for_request(request).get_changelist_instance(request)
        if UNKNOWN in request.GET:  # changelist_view() reports them
            query = request.GET.copy()
            del query[UNKNOWN]
            request = as_queue(request, query.urlencode())
        if not request.GET:
            request = as_queue(request, OWN_VIEW)
        return super().get_changelist_instance(request)

    def get_list_filter(self, request):
        """Leaves out filters that neither show their choices nor filter, because some load their choices."""
        filters = super().get_list_filter(request)
        if self.changelist_class is not QuerysetAlone:
            return filters
        return [one for one in filters if issubclass(one, DefaultFilter) or one.parameter_name in request.GET]

    def get_ordering(self, request):
        """Orders open tickets by urgency and age, done ones by newest change."""
        return ("-updated_at", "-pk") if is_by_change(request.GET) else ("urgency_rank", "created_at", "pk")

    def get_paginator(self, request, queryset, *args, **kwargs):
        """Counts the queue and the views above it in one query."""
        paginator = super().get_paginator(request, queryset, *args, **kwargs)
        is_shown = self.queue_context and request.method == "GET"
        paginator.views = views = self.views(request) if is_shown else []
        # The list itself counts the view that is open, unless it starts after some row.
        is_counted = is_shown and AFTER not in self.queue_context.query
        others = [view for view in views if not (is_counted and view["is_here"])]
        paginator.beside = [view["tickets"] for view in others]
        for view in views:
            view["count"] = short(paginator.counted)
        for view, count in zip(others, paginator.counts[1:], strict=True):
            view["count"] = short(count)
        return paginator

    def changelist_view(self, request, extra_context=None):
        return self.for_request(request).queue_view(request, extra_context)

    def queue_view(self, request, extra_context=None):
        context = {"view_form": self.view_form(request)}
        context |= extra_context or {}
        if request.method == "GET":
            if SEARCH_VAR in request.GET and not any(map(str.strip, request.GET.values())):
                return HttpResponseRedirect(queue_url())  # the search box was emptied
            if url := with_words(request.GET):
                return HttpResponseRedirect(url)
            reads = context_of(self, request)
            asked = reads.search(request.GET)
            if ticket := asked.jump(Ticket.objects.visible_to(request.user)):
                return HttpResponseRedirect(page_url(request, ticket.pk))
            names = [category.name for category in reads.categories.values()]
            for sentence in (*asked.advice, *problems(request.GET, reads.asking(request.GET))):
                messages.warning(request, sentence)
            context |= {
                "completions": completions(request.user, names),
                "state": list_state(request.user).text,
                "live_query": request.GET.urlencode(),
                "query_to_save": request.GET.urlencode() or OWN_VIEW,
            }
        return super().changelist_view(request, context)

    def views(self, request) -> list[dict]:
        """Returns the default view, all open tickets and the saved views, each with its tickets."""
        saved = SavedView.objects.visible_to(request.user)[:VIEWS_SHOWN]
        names = [_("My queue"), _("All open"), *(view.name for view in saved)]
        kept = (view.query for view in saved)
        queries = [normal_query(query) for query in (OWN_VIEW, EVERYBODYS, *kept)]
        context = context_of(self, request)
        here, asking = normal_query(context.query.urlencode() or OWN_VIEW), context.asking(request.GET)
        return [
            {
                "name": name,
                "query": query,
                "is_here": query == here,
                "problems": list(problems(QueryDict(query), asking)),
                **vars(shown(query, self, request)),
            }
            for name, query in zip(names, queries, strict=True)
        ]

    def view_form(self, request, *sent, query: str = "") -> SavedViewForm:
        may_share = request.user.has_perm("tickets.share_savedview")
        return SavedViewForm(*sent, owner=request.user, may_share=may_share, query=query)

    @method_decorator(require_POST)
    def save_view(self, request):
        """Saves the present filters under a name."""
        asked = as_queue(request, request.POST.get("query", "")[:500].replace("\0", ""))
        form = self.view_form(request, request.POST, query=stored_query(asked.GET.urlencode()))
        if not form.is_valid():
            return self.changelist_view(asked, {"view_form": form})
        try:
            queue_of(self, asked)
        except (IncorrectLookupParameters, SuspiciousOperation):
            messages.error(request, _("These filters are not valid, so nothing was saved."))
            return HttpResponseRedirect(queue_url())
        view = form.save()
        if view is None:
            return self.changelist_view(asked, {"view_form": form})
        messages.success(request, _("View “%(name)s” saved.") % {"name": view.name})
        return HttpResponseRedirect(queue_url(asked.GET.urlencode()))

    def news_view(self, request):
        """Renders the queue again if something changed since ?state=; else responds with 204."""
        query = request.GET.copy()
        if query.pop("state", [""])[-1] == list_state(request.user).text:
            return HttpResponse(status=204)
        return self.changelist_view(as_queue(request, query.urlencode()))


def with_words(chosen: QueryDict) -> str | None:
    """Returns the URL of the queue with the fields behind "More filters" added to its search box.

    Returns None if none of them was sent.
    """
    query = chosen.copy()
    values = {name: query.pop(f"with_{name}", [""])[-1].replace('"', " ").strip() for name in MORE}
    if query == chosen:
        return None
    words = (
        f'{name}:"{value}"' if " " in value else f"{name}:{value}" for name, value in values.items() if value
    )
    query["q"] = " ".join([query.get("q", ""), *words]).strip()
    if values["status"]:
        query["phase"] = Show.ALL.value
    return queue_url(query.urlencode())


def as_queue(request: HttpRequest, query: str) -> HttpRequest:
    """Returns the request as a GET of the queue with this query."""
    asked = with_query(request, QueryDict(query))
    asked.method = "GET"
    # The path of the page: links and forms of the list are relative to the queue.
    asked.path = queue_url()
    return asked
