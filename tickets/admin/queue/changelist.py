"""The list of the queue: its rows, and what stands above them."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property, partial

from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.db.models import Model
from django.utils.formats import number_format
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from helpdesk.lists.orders import SORT, ColumnOrder
from tickets.admin.queue import last_messages
from tickets.admin.queue.columns import words_of_rows
from tickets.admin.queue.context import context_of, is_by_change
from tickets.admin.queue.filters import ChoiceFilter, LinkFilter, PhaseFilter, SortFilter
from tickets.admin.queue.ordering import OrderedList
from tickets.forms.filters import FilterField
from tickets.forms.filters import shown as shown_field
from tickets.forms.saved_view import normal_query
from tickets.models import Status, Ticket
from tickets.search import passages, spelling
from tickets.search.choices import Show, Sort, Who
from tickets.search.filters import BY_NAME
from tickets.search.finding import Search
from tickets.search.narrowing import Asking
from tickets.search.sorting import MOST, ORDERS_OF_FEW

OWN_VIEW = f"who={Who.OURS}"
EVERYBODYS = f"phase={Show.OPEN}"
# The orders of the columns
HEADERS = {
    "priority_mark": "priority",
    "summary": "subject",
    "requester": "requester",
    "status_badge": "status",
    "last_reply": "replied",
    "owner": "assignee",
}
# The filters behind "More filters". Each is named "with_" and the search word that it becomes.
MORE = ("status", "requester", "assignee", "after", "before", "has")


@dataclass(frozen=True)
class HeadLink:
    """A filter that can be removed, or an order that can be chosen."""

    label: str
    url: str
    is_here: bool = False


class TicketChangeList(OrderedList):
    completed_by = "search-words"  # the id of the list with the completions of the search box
    more_filters = "admin/tickets/ticket/includes/more_filters.html"
    searches_all = True  # new words search all tickets, whatever view was open; filters apply afterwards
    meant = meant_url = reading_note = ""
    phase_counts = None
    narrows_words = False  # whether filters are set, which a search by words starts without

    def __init__(self, request, *args, **kwargs):
        super().__init__(request, *args, **kwargs)
        way_back, words = escape(self.way_back.removeprefix("?")), words_of_rows(get_language())
        for ticket in self.result_list:
            ticket.words = words
            ticket.page_url = self.url_for_result(ticket)
            ticket.set_url, ticket.way_back = f"{self.here}{ticket.pk}/set/", way_back

    def get_queryset(self, request, exclude_parameters=None):
        return super().get_queryset(request, exclude_parameters).with_unread(request.user).with_held_mail()

    def asked_in(self, request) -> Search:
        return context_of(self.model_admin, request).search(request.GET)

    @property
    def chosen_order(self) -> ColumnOrder | None:
        return self.order or self.few_order

    @cached_property
    def sortable(self) -> set[str]:
        """Returns the names of the orders on offer."""
        is_few = not self.is_beyond and self.paginator.counted <= MOST
        return {*self.columns, *(ORDERS_OF_FEW if is_few else ())}

    def sorting_of(self, name: str) -> dict:
        column = HEADERS.get(name)
        if column not in self.sortable:
            most = number_format(MOST, force_grouping=True)
            text = _("Only lists of up to %(most)s tickets can be sorted by this column.") % {"most": most}
            return {"why_not": text if column in ORDERS_OF_FEW else ""}
        order = self.chosen_order or (None if self.is_by_change else ColumnOrder("priority"))
        is_sorted = order is not None and order.column == column
        is_ascending = is_sorted and not order.is_descending
        turned = ColumnOrder(column, is_descending=is_ascending)
        return {
            "sortable": True,
            "sorted": is_sorted,
            "ascending": is_ascending,
            "url_primary": self.get_query_string({SORT: str(turned)}),
        }

    def order_walked(self, request):
        if self.few_order:
            return None
        asked, is_best_first = self.asked_in(request), self.params.get(SORT) == Sort.BEST
        if self.order or not (is_best_first and asked.can_be_weighed):
            return super().order_walked(request)
        self.queryset = self.queryset.order_by(*asked.best_first)
        return None

    @property
    def usual_filters(self) -> list[ChoiceFilter]:
        """Returns the filters that always show their choices. These are the same for everybody."""
        return [spec for spec in self.filter_specs if not isinstance(spec, LinkFilter | SortFilter)]

    @property
    def link_filters(self) -> list[LinkFilter]:
        return [spec for spec in self.filter_specs if isinstance(spec, LinkFilter)]

    @cached_property
    def chips(self) -> list[HeadLink]:
        """Returns the active filters; each link removes one."""
        return [chip for spec in self.filter_specs if (chip := self._chip(spec))]

    def _chip(self, spec) -> HeadLink | None:
        value = spec.value() or spec.everything
        if isinstance(spec, SortFilter) or value == spec.everything:
            return None
        labels = {str(key): label for key, label in spec.lookup_choices}
        label = str(labels[value])
        if isinstance(spec, LinkFilter):
            label = f"{capfirst(spec.title)}: {label}"
        query = self.get_query_string({spec.parameter_name: spec.everything or None})
        # Without any filter the queue would show the person's own view.
        return HeadLink(label, f"?{EVERYBODYS}" if query == "?" else query)

    @cached_property
    def orders(self) -> list[HeadLink]:
        """Returns the orders on offer; each has an index, or few rows. Of those of few rows, most are
        reversed by the header of their column alone.
        """
        choices = {"": _("Latest change first") if self.is_by_change else _("Most urgent first")}
        if self.has_words:
            choices |= {Sort.NEWEST: _("Latest change first"), Sort.BEST: _("Best match first")}
        choices |= {"-age": _("Newest ticket first"), "age": _("Oldest ticket first")}
        if not self.is_by_change:
            choices |= {"-changed": _("Latest change first"), "changed": _("Oldest change first")}
            choices |= {"-priority": _("Least urgent first")}
        chosen = str(self.chosen_order or self.params.get(SORT, ""))
        choices |= self._choices_by_column(chosen)
        chosen = chosen if chosen in choices else ""
        return [
            HeadLink(label, self.get_query_string({SORT: name or None}), is_here=name == chosen)
            for name, label in choices.items()
        ]

    def _choices_by_column(self, chosen: str) -> dict[str, str]:
        labels = {
            "status": _("By status"),
            "-status": _("By status, reversed"),
            "subject": _("By subject"),
            "-subject": _("By subject, reversed"),
            "requester": _("By requester"),
            "-requester": _("By requester, reversed"),
            "assignee": _("By assignee"),
            "-assignee": _("By assignee, reversed"),
            "-replied": _("Latest reply first"),
            "replied": _("Oldest reply first"),
        }
        if self.is_by_change:  # elsewhere "priority" is the queue's own order
            labels |= {"priority": _("Most urgent first"), "-priority": _("Least urgent first")}
        always = {"status", "-status", "subject", "requester", "assignee", "-replied", "replied"}
        return {
            name: label
            for name, label in labels.items()
            if name.removeprefix("-") in self.sortable and (name in always or name == chosen)
        }

    @property
    def order_in_words(self) -> str:
        return next(order.label for order in self.orders if order.is_here)

    def count_phases(self, request) -> Counter | None:
        """Counts matches in each phase. Returns None without search words, or if there are too many
        matches.
        """
        asked = self.asked_in(request)
        if not asked.typed.strip() or not asked.finds_few:
            return None
        found = self.root_queryset
        for chosen in self.filter_specs:
            if not isinstance(chosen, PhaseFilter):
                found = chosen.queryset(request, found)
        counted = Status.objects.with_counts([asked.filter(found)], are_few=True).order_by()
        counts = Counter()
        for phase, count in counted.values_list("phase", "count"):
            counts[phase] += count
        return counts

    def get_results(self, request):
        super().get_results(request)
        self.is_by_change = is_by_change(request.GET)
        context = context_of(self.model_admin, request)
        self.views = self.paginator.views
        self.result_list = list(self.result_list)
        # No joins: the filters have loaded all categories and statuses.
        attach("category", context.categories, self.result_list)
        attach("status", context.statuses, self.result_list)
        last_messages.attach(self.result_list)
        self.phase_counts = self.count_phases(request)
        self.categories = [(category.pk, category.name) for category in context.categories.values()]
        self.statuses = [status.name for status in context.statuses.values()]
        self.more_fields = partial(more_fields, context.asking(request.GET))
        asked = self.asked_in(request)
        self.has_words = asked.has_words
        if asked.has_words:
            self.reading_note = passages.attach(self.result_list, asked.query, request.user)
        if self.result_count == 0:
            self.meant = spelling.suggestion(asked, Ticket.objects.visible_to(request.user))
            self.meant_url = self.get_query_string({SEARCH_VAR: self.meant})
        # The default view has no filters to clear.
        self.has_active_filters = normal_query(request.GET.urlencode()) != normal_query(OWN_VIEW)
        self.clear_all_filters_qs = "?"  # clears the words too
        self.narrows_words = bool(request.GET.keys() - {SEARCH_VAR, ORDER_VAR, SORT, "p"})


def attach(name: str, rows: dict[int, Model], tickets: list[Ticket]) -> None:
    """Sets the field `name` of each ticket from `rows`. A row that is newer than `rows` is loaded later."""
    for ticket in tickets:
        row = rows.get(getattr(ticket, f"{name}_id"))
        if row:
            setattr(ticket, name, row)


def more_fields(asking: Asking) -> list[FilterField]:
    """Returns the fields behind "More filters".

    Their values are names, not primary keys, as in the search box.
    """
    fields = [shown_field(BY_NAME[name], {}, asking, f"with_{name}") for name in MORE]
    for number, field in enumerate(fields):
        by_name = [(value and label, label) for value, label in field.choices]
        fields[number] = replace(field, choices=by_name)
    return fields
