"""The admin's lists: numbered pages up to MOST_COUNTED rows, after that on from a place (accounts.paging)."""

from collections.abc import Sequence
from copy import copy
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property

from accounts import paging


class CappedPaginator(Paginator):
    """Numbers and counts the first MOST_COUNTED rows only."""

    beside: Sequence[QuerySet] = ()

    @cached_property
    def counts(self) -> list[int]:
        """Of the rows, and of what is counted beside them in the same question."""
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
    """Ordered by one of the columns that are offered, so that an index can be walked."""

    def __init__(self, request, *args, **kwargs):
        asked = copy(request)
        asked.GET = request.GET.copy()
        self.place = asked.GET.pop(paging.AFTER, [])
        if ORDER_VAR in asked.GET:
            asked.GET[ORDER_VAR] = asked.GET[ORDER_VAR].partition(".")[0]
        super().__init__(asked, *args, **kwargs)
        # Django would look up the address of each link to add the filters: a fifth of a list's time.
        filters = self.model_admin.get_preserved_filters(request)
        self.preserved_filters, self.way_back = "", f"?{filters}" if filters else ""
        self.here = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def url_for_result(self, result):
        return f"{self.here}{quote(result.pk)}/change/{self.way_back}"

    # The order
    def get_ordering_field(self, field_name):
        is_offered = self.sortable_by is None or field_name in self.sortable_by
        return super().get_ordering_field(field_name) if is_offered else None

    def get_ordering(self, request, queryset):
        asked = super().get_ordering(request, queryset.order_by())
        own = self.model_admin.get_ordering(request) or self._get_default_ordering()
        return asked or self._get_deterministic_ordering(own)

    def _get_deterministic_ordering(self, ordering):
        """Django's own ends with the newest number, which no index of an ascending order has."""
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
        """The order of the rows; None where no index has it, and only the numbered pages are shown."""
        return paging.Order(self.queryset)

    def _query_beyond(self, order: paging.Order) -> str:
        """From the last numbered page to what is not numbered."""
        is_last = self.multi_page and self.page_num == self.paginator.num_pages
        if not (is_last and self.paginator.has_uncounted):
            return ""
        return self._at(order.place_of(list(self.result_list)[-1]), self.get_query_string())

    def get_query_string(self, new_params=None, remove=None):
        """Other pages are counted from the same place; other filters begin at the start."""
        query = super().get_query_string(new_params, remove)
        is_page = bool({PAGE_VAR, ALL_VAR} & set(new_params or ()))
        return self._at(self.place, query) if is_page and self.place else query

    @staticmethod
    def _at(place: list[str], query: str) -> str:
        return query + ("&" if query != "?" else "") + urlencode([(paging.AFTER, text) for text in place])
