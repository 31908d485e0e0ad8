"""Pages and counts of lists that cost the same however many rows there are.

A place is what the order knows of a row. A page begins after a place, so it stays where it is while rows
come and go in front of it, and the database finds it by an index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, DateTimeField, F, Func, IntegerField, QuerySet, Subquery, Value
from django.db.models.lookups import GreaterThan, LessThan
from django.http import QueryDict
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.validators import is_number

MOST_COUNTED = 1000
AFTER, BEFORE = "after", "before"  # parameters, given once for each field of the order
LONGEST_TEXT = 500
COUNT, VALUE = "(SELECT COUNT(*) FROM ({}) AS counted)", "({})"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Row(Func):
    """(a, b): compared like words, letter by letter."""

    template = "(%(expressions)s)"
    output_field = BooleanField()  # no database field is a row; it is only ever compared


class Order:
    """What a queryset is ordered by: fields in one direction, the last of them unique."""

    def __init__(self, queryset: QuerySet):
        terms = queryset.query.order_by or queryset.model._meta.ordering
        names = [term.removeprefix("-") for term in terms]
        opts = queryset.model._meta
        self.fields = [opts.pk if name == "pk" else opts.get_field(name) for name in names]
        self.is_descending = terms[0].startswith("-")
        if {term.startswith("-") for term in terms} != {self.is_descending} or not self.fields[-1].unique:
            raise ValueError(f"An index can't be walked from a place in this order: {terms}")

    def key(self, row) -> tuple:
        return tuple(getattr(row, field.attname) for field in self.fields)

    def place_of(self, row) -> list[str]:
        """The place of `row` as it stands in an address."""
        return list(map(_as_text, self.key(row)))

    def parse(self, texts: list[str]) -> list | None:
        """The values of a place as place_of() writes it; None for anything else."""
        if len(texts) != len(self.fields):
            return None
        try:
            return [_as_value(field, text) for field, text in zip(self.fields, texts, strict=True)]
        except (ValueError, OverflowError):
            return None

    def beyond(self, place: Sequence, *, backwards: bool = False):
        """The condition that a row comes after `place`, or before it."""
        row = Row(*(F(field.attname) for field in self.fields))
        values = Row(*(Value(value, field) for value, field in zip(place, self.fields, strict=True)))
        return (LessThan if self.is_descending != backwards else GreaterThan)(row, values)


def _as_text(value) -> str:
    return str((value - EPOCH) // MICROSECOND if isinstance(value, datetime) else value)


def _as_value(field, text: str):
    """Raises ValueError or OverflowError for what is no value of the field."""
    if isinstance(field, DateTimeField | IntegerField):
        if not is_number(text.removeprefix("-")):  # before 1970 a moment has a minus
            raise ValueError
        return EPOCH + int(text) * MICROSECOND if isinstance(field, DateTimeField) else int(text)
    if "\0" in text or len(text) > LONGEST_TEXT:
        raise ValueError
    return text


@dataclass(frozen=True)
class Page:
    """Rows, and the places where the pages beside it begin; empty where there is none."""

    rows: list
    before: list[str]
    after: list[str]


def page(parts: Sequence[QuerySet], query: QueryDict, size: int) -> Page:
    """The page that `query` asks for; the first where it asks for none, or for one that is not there.

    `parts` are in one order and have no row in common; from each at most a page is taken.
    """
    order = Order(parts[0])
    if place := order.parse(query.getlist(BEFORE)):
        rows = _first(order, parts, size + 1, place, backwards=True)
        if len(rows) > size:
            rows = rows[size - 1 :: -1]
            return Page(rows, order.place_of(rows[0]), order.place_of(rows[-1]))
    place = order.parse(query.getlist(AFTER))
    if place and (rows := _first(order, parts, size + 1, place)):
        return Page(rows[:size], order.place_of(rows[0]), _end(order, rows, size))
    rows = _first(order, parts, size + 1)
    return Page(rows[:size], [], _end(order, rows, size))


def _first(order: Order, parts, count: int, place: list | None = None, *, backwards: bool = False) -> list:
    if place:
        parts = [part.filter(order.beyond(place, backwards=backwards)) for part in parts]
    if backwards:
        parts = [part.reverse() for part in parts]
    is_descending = order.is_descending != backwards
    return list(islice(merge(*(part[:count] for part in parts), key=order.key, reverse=is_descending), count))


def _end(order: Order, rows: list, size: int) -> list[str]:
    return order.place_of(rows[size - 1]) if len(rows) > size else []


def turned(query: QueryDict, **places: list[str]) -> str:
    """`query` at another place: turned(query, after=page.after)."""
    turned = query.copy()
    for name in (AFTER, BEFORE):
        turned.pop(name, None)
        if places.get(name):
            turned.setlist(name, places[name])
    return turned.urlencode()


def ask(*questions: tuple[str, QuerySet]) -> tuple:
    """COUNT and VALUE of several querysets in one question. A VALUE comes as the database keeps it."""
    parts, params = [], []
    for template, queryset in questions:
        try:
            sql, values = queryset.query.sql_with_params()
        except EmptyResultSet:
            sql, values = "SELECT 1 WHERE 1 = 0", ()
        parts.append(template.format(sql))
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return cursor.fetchone()


class CappedCount(Subquery):
    """How many rows a queryset has, which may use OuterRef; MOST_COUNTED + 1 says that there are more."""

    template = COUNT.format("%(subquery)s")
    output_field = IntegerField()
    empty_result_set_value = 0

    def __init__(self, queryset: QuerySet):
        super().__init__(_capped(queryset))


def capped_counts(querysets: Iterable[QuerySet]) -> list[int]:
    """How many rows each has, in one question; MOST_COUNTED + 1 says that there are more."""
    return list(ask(*((COUNT, _capped(some)) for some in querysets)))


def _capped(queryset: QuerySet) -> QuerySet:
    return queryset.order_by().values("pk")[: MOST_COUNTED + 1]


def short(count: int) -> str:
    """A capped count for a badge: 1,000+."""
    return f"{_number(MOST_COUNTED)}+" if count > MOST_COUNTED else _number(count)


def in_words(count: int) -> str:
    """A capped count for a sentence: more than 1,000."""
    return (
        _("more than %(count)s") % {"count": _number(MOST_COUNTED)}
        if count > MOST_COUNTED
        else _number(count)
    )


def _number(count: int) -> str:
    return number_format(count, use_l10n=True, force_grouping=True)
