"""The admin's lists: numbered pages up to MOST_COUNTED rows, then keyset pagination."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property

from helpdesk.lists import paging
from helpdesk.lists.orders import SORT, ColumnOrder, with_names
from helpdesk.lists.requests import with_query


class CappedPaginator(Paginator):
    """Counts and numbers only the first MOST_COUNTED rows."""

    beside: Sequence[QuerySet] = ()

    @cached_property
    def counts(self) -> list[int]:
        """The count of the rows, and the counts of the querysets in `beside`, in one query."""
        return paging.capped_counts([self.object_list, *self.beside])

    @property
    def counted(self) -> int:
        return self.counts[0]

    @cached_property
    def count(self) -> int:
        return min(self.counted, paging.MOST_COUNTED)

    @property
    def has_uncounted(self) -> bool:
        return self.counted > self.count


class StaffChangeList(ChangeList):
    """A list with keyset pagination, ordered by the name of a column."""

    def __init__(self, request, *args, **kwargs):
        query = request.GET.copy()
        self.place = query.pop(paging.AFTER, [])
        super().__init__(with_query(request, query), *args, **kwargs)
        # Django resolves the URL of each link to add the filters, which takes a fifth of a list's time.
        filters = self.model_admin.get_preserved_filters(request)
        self.preserved_filters, self.way_back = "", f"?{filters}" if filters else ""
        self.here = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def url_for_result(self, result):
        return f"{self.here}{quote(result.pk)}/change/{self.way_back}"

    @property
    def counted_name(self) -> str:
        """What the list counts, as the number of its rows needs it."""
        names = self.model_admin.counted_names or (self.opts.verbose_name, self.opts.verbose_name_plural)
        return str(names[0 if self.result_count == 1 else 1])

    # The order
    @cached_property
    def columns(self) -> list[str]:
        """The names of the columns that order the list."""
        offered = self.list_display if self.sortable_by is None else self.sortable_by
        return [name for name in offered if name in self.list_display and self.get_ordering_field(name)]

    @cached_property
    def order(self) -> ColumnOrder | None:
        """The chosen column order, if any."""
        return ColumnOrder.parse(self.params.get(SORT, ""), self.columns)

    def fields_of(self, column: str) -> list[str]:
        """Returns the fields that a column orders by."""
        return [self.get_ordering_field(column)]

    def sorting_of(self, name: str) -> dict:
        """Returns what the header of a column says about its order, beside what Django knows."""
        return {}

    def get_ordering(self, request, queryset):
        if self.order:
            sign = "-" if self.order.is_descending else ""
            own = [sign + field for field in self.fields_of(self.order.column)]
        else:
            own = self.model_admin.get_ordering(request) or self._get_default_ordering()
        return self._get_deterministic_ordering(own)

    def get_ordering_field_columns(self):
        """The position of the chosen column, for Django's headers."""
        if not self.order:
            return super().get_ordering_field_columns()
        direction = "desc" if self.order.is_descending else "asc"
        return {self.list_display.index(self.order.column): direction}

    def get_filters_params(self, params=None):
        """Removes the sort parameter, which is not a filter, unless a list declares one of this name."""
        left = super().get_filters_params(params)
        if self.order:
            left.pop(SORT, None)
        return left

    def _get_deterministic_ordering(self, ordering):
        """Adds the primary key in the order's direction. Django always descends, which no index supports."""
        unique = {"pk"} | {field.name for field in self.lookup_opts.fields if field.unique}
        if not ordering or unique & {term.removeprefix("-") for term in ordering}:
            return list(ordering)
        return [*ordering, "-pk" if ordering[0].startswith("-") else "pk"]

    # The page
    def get_results(self, request):
        order = self.order_walked(request)
        place = order and order.parse(self.place)
        self.is_beyond = place is not None
        if self.is_beyond:
            self.queryset = self.queryset.filter(order.beyond(place))
        super().get_results(request)
        self.count_in_words = paging.in_words(self.paginator.counted)
        self.beyond_query = self._query_beyond(order) if order else ""

    def order_walked(self, request) -> paging.Order | None:
        """The order of the rows; None if no index has this order, so that only numbered pages are shown."""
        return paging.Order(self.queryset)

    def _query_beyond(self, order: paging.Order) -> str:
        """The query string that leads from the last numbered page to the rows after it."""
        is_last = self.multi_page and self.page_num == self.paginator.num_pages
        if not (is_last and self.paginator.has_uncounted):
            return ""
        return self._at(order.place_of(list(self.result_list)[-1]), self.get_query_string())

    def get_query_string(self, new_params=None, remove=None):
        """Keeps the place for links to other pages, and drops it for other filters.

        Django's headers pass the position of a column; it is replaced by the name.
        """
        new_params = dict(new_params or {})
        if ORDER_VAR in new_params:
            new_params[SORT] = self._named(new_params.pop(ORDER_VAR))
        query = super().get_query_string(new_params, remove)
        is_page = bool({PAGE_VAR, ALL_VAR} & set(new_params))
        return self._at(self.place, query) if is_page and self.place else query

    def _named(self, positions: str) -> str | None:
        """The name of the first column in `positions`; None for the default order."""
        columns = {self.list_display.index(name): name for name in self.columns}
        return with_names(QueryDict(f"{ORDER_VAR}={positions}"), columns).get(SORT)

    @staticmethod
    def _at(place: list[str], query: str) -> str:
        return query + ("&" if query != "?" else "") + urlencode([(paging.AFTER, text) for text in place])
