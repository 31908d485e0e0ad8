"""The command palette of the agent workspace: what it offers for the words that are typed.

One list of options: recent or found tickets, actions on the ticket that is open, views of the queue, pages.
An action is sent to the view that serves the same button of the page, so it has the same rights and refusals.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts.validators import is_number
from helpdesk.letters import words_of
from tickets.admin.queue.bulk_changes import BULK_CHANGES
from tickets.admin.queue.changelist import EVERYBODYS, OWN_VIEW
from tickets.admin.ticket.neighbours import queue_query, queue_url
from tickets.forms.saved_view import normal_query
from tickets.models import SavedView, Status, Ticket
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.rules.workflow import Phase
from tickets.search.finding import Search

TICKETS_SHOWN = 8
MOST_VIEWS = 50
MOST_SORTED = 100  # tickets that hold the words
LONGEST = 200  # characters of what is typed
SHORTEST = 2  # letters with which tickets are searched


@dataclass(frozen=True)
class NamedPage:
    route: str
    name: Promise
    permission: str = ""


PAGES = (
    NamedPage("admin:index", gettext_lazy("Start page")),
    NamedPage("admin:tickets_ticket_changelist", gettext_lazy("Queue")),
    NamedPage("admin:tickets_ticket_add", gettext_lazy("New ticket"), "tickets.add_ticket"),
    NamedPage("admin:tickets_ticket_reports", gettext_lazy("Reports"), "tickets.view_report"),
    NamedPage("admin:accounts_user_changelist", gettext_lazy("People")),
    NamedPage("admin:mail", gettext_lazy("Email")),
    NamedPage("admin:tickets_savedreply_changelist", gettext_lazy("Saved replies")),
    NamedPage("admin:tickets_macro_changelist", gettext_lazy("Macros")),
    NamedPage("admin:tickets_savedview_changelist", gettext_lazy("Saved views")),
    NamedPage("admin:tickets_category_changelist", gettext_lazy("Categories")),
    NamedPage("admin:tickets_status_changelist", gettext_lazy("Statuses")),
    NamedPage("admin:tickets_activitylog_changelist", gettext_lazy("Activity log")),
    NamedPage("accounts:profile", gettext_lazy("Your profile")),
    NamedPage("mail_preferences", gettext_lazy("Email notifications")),
    NamedPage("home", gettext_lazy("Portal")),
)


@dataclass(frozen=True)
class Option:
    """A link (`url`), a button of a form (`form`, `value`), or what the script does (`script`)."""

    label: str
    url: str = ""
    form: str = ""
    value: str = ""
    script: str = ""


@dataclass(frozen=True)
class ActionForm:
    """The form that the buttons of an action send; `seen` is the value that the palette read."""

    name: str
    url: str
    seen: str


@dataclass(frozen=True)
class Group:
    title: str
    icon: SafeString
    options: list


@lru_cache
def icon(name: str) -> SafeString:
    """Rendered once and reused: a list has thirty."""
    return render_to_string("admin/includes/palette_icon.html", {"name": name})


class TicketActions:
    """What `user` may do with the ticket that is open."""

    def __init__(self, ticket: Ticket, user, *, query: str = ""):
        """`query` keeps the queue from which the ticket was opened."""
        self.ticket, self.user, self.query = ticket, user, query
        self.may_change = user.has_perm("tickets.change_ticket") and not ticket.is_merged

    @property
    def forms(self) -> list[ActionForm]:
        if not self.may_change:
            return []
        take = f"{self._url('admin:tickets_ticket_take')}?{self.query}"
        names = ("set_status", "set_priority")
        return [
            ActionForm("take", take, self._seen("assign_to")),
            *(ActionForm(name, self._set_url(name), self._seen(name)) for name in names),
        ]

    def __iter__(self) -> Iterator[Option]:
        if self.may_change:
            yield from self._changes()
        yield Option(_("Copy link"), url=self._url("admin:tickets_ticket_change"), script="copy")
        yield Option(_("Print"), script="print")
        yield Option(_("View as requester"), url=self._url("tickets:detail"))

    def _changes(self) -> Iterator[Option]:
        statuses = [status for status in Status.objects.all() if not self.ticket.refusal_of(status)]
        if self.ticket.assignee_id != self.user.pk:
            yield Option(self._take_words(), form="take")
        for status in statuses:
            if status.phase == Phase.DONE and status.is_default and not self.ticket.is_done:
                yield Option(_("Mark as solved"), form="set_status", value=str(status.pk))
        yield Option(_("Change assignee"), url=self._set_url("assign_to"))
        for status in statuses:
            if status.pk != self.ticket.status_id:
                yield self._set_status(status)
        for value, label in Ticket.Priority.choices:
            if value != self.ticket.priority:
                text = _("Set priority to %(priority)s") % {"priority": label}
                yield Option(text, form="set_priority", value=value)

    def _take_words(self) -> str:
        """The words of the button on the page (includes/take.html)."""
        other = self.ticket.assignee
        return _("Take over from %(name)s") % {"name": other} if other and other.works else _("Assign to me")

    def _set_status(self, status: Status) -> Option:
        """A waiting status needs a reason, so its form opens."""
        text = _("Set status to %(status)s") % {"status": status}
        if status.is_waiting:
            return Option(text, url=self._set_url("set_status"))
        return Option(text, form="set_status", value=str(status.pk))

    def _seen(self, change: str) -> str:
        return BULK_CHANGES[change].stored(self.ticket)

    def _set_url(self, change: str) -> str:
        url = reverse("admin:tickets_ticket_set", args=[self.ticket.pk, change])
        return f"{url}?to_ticket=1&seen={self._seen(change)}&{self.query}"

    def _url(self, route: str) -> str:
        return reverse(route, args=[self.ticket.pk])


class Palette:
    def __init__(self, user, *, typed: str = "", actions: TicketActions | None = None):
        self.user, self.typed, self.actions = user, typed.strip(), actions
        self.words = words_of(self.typed)
        self.search = Search(self.typed, user=user)

    @cached_property
    def groups(self) -> list[Group]:
        """Recent tickets first; with words, tickets last: many tickets hold a word that also names a page."""
        tickets = self._tickets()
        rest = [self._ticket_actions(), self._views(), self._pages()]
        groups = [tickets, *rest] if not self.words or self.search.query.number else [*rest, tickets]
        return [group for group in groups if group.options]

    @property
    def said(self) -> str:
        """The number of results, for words that were typed."""
        if not self.typed:
            return ""
        count = sum(len(group.options) for group in self.groups)
        if not count:
            return _("No results")
        return ngettext("%(count)d result", "%(count)d results", count) % {"count": count}

    @property
    def search_url(self) -> str:
        """The queue, with all tickets that hold the words."""
        query = QueryDict(mutable=True)
        query["q"] = self.typed
        return queue_url(query.urlencode())

    def _tickets(self) -> Group:
        tickets = Ticket.objects.visible_to(self.user)
        if not self.typed:
            tickets = tickets.recently_opened_by(self.user)
            return Group(_("Recent tickets"), icon("clock"), self._rows(tickets))
        if ticket := self.search.jump(tickets.select_related("status", "requester")):
            return Group(_("Tickets"), icon("ticket"), [ticket])
        return Group(_("Tickets"), icon("ticket"), self._rows(self._found(tickets)))

    def _found(self, tickets: TicketQuerySet) -> TicketQuerySet:
        """The latest changes first. Of many hits only the newest tickets are sorted."""
        if len("".join(self.words)) < SHORTEST:
            return tickets.none()
        if self.search.can_be_weighed:
            tickets = tickets.filter(pk__in=sorted(self.search.numbers)[-MOST_SORTED:])
        return self.search.filter(tickets).newest_change_first()

    def _rows(self, tickets) -> list[Ticket]:
        if self.actions:
            tickets = tickets.exclude(pk=self.actions.ticket.pk)
        return list(tickets.select_related("status", "requester")[:TICKETS_SHOWN])

    def _ticket_actions(self) -> Group:
        if self.actions is None:
            return Group("", SafeString(), [])
        title = _("Ticket #%(number)d") % {"number": self.actions.ticket.pk}
        return Group(title, icon("bolt"), self._matching(self.actions))

    def _views(self) -> Group:
        saved = SavedView.objects.visible_to(self.user).values_list("name", "query")[:MOST_VIEWS]
        views = [(_("My queue"), OWN_VIEW), (_("All open"), EVERYBODYS), *saved]
        options = [Option(name, url=queue_url(normal_query(query))) for name, query in views]
        return Group(_("Views"), icon("queue-list"), self._matching(options))

    def _pages(self) -> Group:
        may = self.user.has_perm
        pages = (page for page in PAGES if not page.permission or may(page.permission))
        options = (Option(str(page.name), url=reverse(page.route)) for page in pages)
        return Group(_("Pages"), icon("arrow-right"), self._matching(options))

    def _matching(self, options: Iterable[Option]) -> list[Option]:
        """Those with a word that begins with each of the typed words."""
        return [option for option in options if self._fits(words_of(option.label))]

    def _fits(self, words: list[str]) -> bool:
        if self.typed and not self.words:
            return False
        return all(any(word.startswith(typed) for word in words) for typed in self.words)


@require_safe
def palette_view(request: HttpRequest) -> HttpResponse:
    typed = request.GET.get("q", "")[:LONGEST].replace("\0", "")
    number = request.GET.get("ticket", "")
    tickets = Ticket.objects.visible_to(request.user).select_related("status", "assignee")
    ticket = tickets.filter(pk=number).first() if is_number(number) else None
    actions = TicketActions(ticket, request.user, query=queue_query(request)) if ticket else None
    palette = Palette(request.user, typed=typed, actions=actions)
    return render(request, "admin/palette.html", {"palette": palette})
