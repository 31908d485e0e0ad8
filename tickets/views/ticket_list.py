"""The content of the portal's list of tickets."""

from dataclasses import replace
from functools import cached_property

from django.http import QueryDict
from django.utils.translation import gettext as _

from helpdesk.lists import paging
from tickets.forms.filters import StaffTicketFilterForm, TicketFilterForm
from tickets.history.live import list_state
from tickets.models import Status, Ticket
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.rules.workflow import Phase
from tickets.search import passages, spelling
from tickets.search.choices import Show
from tickets.search.filters import BY_NAME, completions
from tickets.search.finding import Search
from tickets.views import rows

ROWS_SHOWN = 25


def without_old_phase(sent: QueryDict) -> QueryDict:
    """Returns the query of a list. New search words (different from `within`) remove the selected tab."""
    query = sent.copy()
    within, typed = query.pop("within", None), query.get("q", "").strip()
    if within and typed and typed != within[-1].strip():
        query.pop("phase", None)
    return query


class TicketList:
    """The tickets that `reader` sees for the query of a URL. Loads each part on first access."""

    def __init__(self, reader, query: QueryDict):
        self.reader, self.query = reader, without_old_phase(query)
        self.state = list_state(reader)

    @property
    def is_unchanged(self) -> bool:
        """Whether the list is the same as on the page that sends its ?state=."""
        return self.query.get("state") == self.state.text

    @cached_property
    def form(self) -> TicketFilterForm:
        form_class = StaffTicketFilterForm if self.reader.is_staff else TicketFilterForm
        return form_class(self.query, user=self.reader)

    @property
    def search(self) -> Search:
        return self.form.search

    @property
    def visible(self) -> TicketQuerySet:
        return Ticket.objects.visible_to(self.reader)

    @property
    def jump(self) -> Ticket | None:
        """Returns the ticket whose number was entered."""
        return self.search.jump(self.visible)

    @cached_property
    def shown_query(self) -> QueryDict:
        """Returns the query without the state, for links to the same list."""
        query = self.query.copy()
        query.pop("state", None)
        return query

    @cached_property
    def matching(self) -> list[TicketQuerySet]:
        """Returns the parts of the list (TicketQuerySet.parts_for()) after the filters, in all phases."""
        return [self.form.filtered(part) for part in self.state.parts]

    @property
    def is_counted(self) -> bool:
        """Whether matches are counted. Counting very many takes longer than finding 25 of them."""
        return self.search.finds_few or not self.reader.is_staff

    @cached_property
    def statuses(self) -> list[Status]:
        """Returns all statuses, annotated with `count` of matching tickets if is_counted."""
        if not self.is_counted:
            return list(Status.objects.all())
        are_few = not self.reader.is_staff or self.search.has_words
        return list(Status.objects.with_counts(self.matching, are_few=are_few))

    @cached_property
    def page(self) -> paging.Page:
        if self.form.is_best_first:
            best = self.form.filtered(self.visible).order_by(*self.search.best_first)
            return paging.Page(list(self._columns_of(best)[:ROWS_SHOWN]), [], [])
        parts = [self._columns_of(part.newest_first_for(self.reader)) for part in self.matching]
        return paging.page(parts, self.shown_query, ROWS_SHOWN)

    @cached_property
    def rows(self) -> list[rows.Row]:
        statuses = {status.pk: status for status in self.statuses}
        return rows.rows(self.page.rows, self.reader, statuses=statuses, categories=self.form.categories)

    @property
    def tabs(self) -> list[dict]:
        counts = dict.fromkeys(Phase, 0)
        if self.is_counted:
            for status in self.statuses:
                counts[status.phase] += status.count
        query = self.shown_query.copy()
        query.pop("phase", None)
        others = paging.turned(query)
        return [
            {
                "label": show.label,
                "url": f"?{others}{'&' if others else ''}phase={show.value}",
                "count": paging.short(sum(counts[phase] for phase in show.phases)),
                "current": show == self.form.show,
            }
            for show in Show
        ]

    def context(self) -> dict:
        """Returns the context of tickets/ticket_list.html."""
        page, shown, form = self.page, self.shown_query, self.form
        return {
            **self._found(),
            "heading": _("All tickets") if self.reader.is_staff else _("My tickets"),
            "search": self.search,
            "is_best_first": form.is_best_first,
            "completions": completions(self.reader, form.categories.values()),
            "rows": self.rows,
            "reply_count": sum(row.needs_reply for row in self.rows),
            "newer_query": page.before and paging.turned(shown, before=page.before),
            "older_query": page.after and paging.turned(shown, after=page.after),
            "state": self.state.text,
            "live_query": shown.urlencode(),
            "tabs": self.tabs,
            "filter_form": form,
            "statuses": [(str(status.pk), status.name) for status in self.statuses],
            "more_fields": lambda: self.form.more(self.statuses),
            "is_counted": self.is_counted,
            "is_filtered": form.is_filtered,
            "is_staff_list": self.reader.is_staff,
        }

    def _columns_of(self, tickets: TicketQuerySet) -> TicketQuerySet:
        asking = replace(self.form.asking, statuses=self.statuses)
        tickets = BY_NAME["phase"].narrow(tickets, self.form.show, asking)
        return rows.columns_of(tickets, self.reader, has_text=self.search.has_words)

    def _found(self) -> dict:
        """Returns why each row matched; without matches, which words may have been meant."""
        if self.rows and self.search.has_words:
            return {"reading_note": passages.attach(self.rows, self.search.query, self.reader)}
        if not self.rows and (meant := spelling.suggestion(self.search, self.visible)):
            query = self.query.copy()
            query["q"] = meant
            return {"meant": meant, "meant_url": f"?{paging.turned(query)}"}
        return {}
