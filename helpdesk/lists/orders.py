"""Orders a list by the name of a column: ?sort=age, or ?sort=-age for descending."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import QueryDict

from accounts.validators import is_number

SORT = "sort"
POSITION = "o"  # Django's parameter, a column's position. Old bookmarks use it


@dataclass(frozen=True)
class ColumnOrder:
    column: str
    is_descending: bool = False

    @classmethod
    def parse(cls, text: str, columns: Iterable[str]) -> "ColumnOrder | None":
        """Parses what str() writes; None if it names none of `columns`."""
        column = text.removeprefix("-")
        return cls(column, text.startswith("-")) if column in columns else None

    def __str__(self) -> str:
        return f"-{self.column}" if self.is_descending else self.column


def with_names(query: QueryDict, columns: Mapping[int, str]) -> QueryDict:
    """`query` with a column's name instead of its position. `columns` maps old positions to names.

    Uses only the first of several positions, and ignores unknown ones.
    """
    named = query.copy()
    first = named.pop(POSITION, [""])[-1].partition(".")[0]
    position = first.removeprefix("-")
    column = columns.get(int(position)) if is_number(position) else None
    if column:
        named[SORT] = str(ColumnOrder(column, first.startswith("-")))
    return named
