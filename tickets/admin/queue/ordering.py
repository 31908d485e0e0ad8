"""The order of the queue by the name of a column: along an index, or of few tickets by any column."""

from functools import cached_property

from helpdesk.lists.changelists import StaffChangeList
from helpdesk.lists.orders import SORT, ColumnOrder
from tickets.admin.queue.context import show_of
from tickets.search.choices import COLUMNS, ORDERS_OF_ALL, Show
from tickets.search.sorting import ORDERS_OF_FEW, are_few, sort_few


class OrderedList(StaffChangeList):
    few_order: ColumnOrder | None = None  # the chosen order, if it has no index and the tickets are few

    @cached_property
    def is_open(self) -> bool:
        """Whether the list has open tickets only."""
        return show_of(self.params) not in (Show.DONE, Show.ALL)

    @cached_property
    def columns(self) -> list[str]:
        """Returns the names of the orders that have an index."""
        return [name for name in COLUMNS if self.is_open or name in ORDERS_OF_ALL]

    def fields_of(self, column: str) -> list[str]:
        return list(COLUMNS[column])

    def get_ordering_field_columns(self):
        return {}

    def get_queryset(self, request, exclude_parameters=None):
        found = super().get_queryset(request, exclude_parameters)
        wished = None if self.order else ColumnOrder.parse(self.params.get(SORT, ""), ORDERS_OF_FEW)
        if wished and are_few(found):
            self.few_order = wished
            return sort_few(found, wished)
        return found
