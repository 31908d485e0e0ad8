"""Keyset pagination and capped counts: their cost does not depend on the number of rows.

A place is the values of a row in the fields of the order. A page starts after a place, so it does not move
when rows before it are added or deleted, and the database finds it with an index.
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
COUNT = "(SELECT COUNT(*) FROM ({}) AS counted)"
# One statement of its own: the ORM would compile the list for each part, which takes longer than the answer.
BESIDE = """
WITH listed AS NOT MATERIALIZED ({listed})
SELECT
    (SELECT {key} FROM listed WHERE {fields} {before} {row} ORDER BY {backwards} LIMIT 1),
    (SELECT {key} FROM listed WHERE {fields} {after} {row} ORDER BY {forwards} LIMIT 1),
    (SELECT COUNT(*) FROM (
        SELECT 1 FROM listed WHERE {fields} {before} {row} ORDER BY {backwards} LIMIT {most}
    ) AS counted),
    (SELECT COUNT(*) FROM (SELECT 1 FROM listed ORDER BY {forwards} LIMIT {most}) AS counted)
WHERE EXISTS (SELECT 1 FROM listed WHERE {key} = %s)
"""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class RowValue(Func):
    """A SQL row value (a, b). The database compares row values field by field."""

    template = "(%(expressions)s)"
    output_field = BooleanField()  # Django has no field for a row value, and the value is only compared


class Order:
    """The order of a queryset: fields in one direction, of which the last is unique."""

    def __init__(self, queryset: QuerySet):
        terms = queryset.query.order_by or queryset.model._meta.ordering
        names = [term.removeprefix("-") for term in terms]
        opts = queryset.model._meta
        self.fields = [opts.pk if name == "pk" else opts.get_field(name) for name in names]
        self.is_descending = terms[0].startswith("-")
        if {term.startswith("-") for term in terms} != {self.is_descending} or not self.fields[-1].unique:
            raise ValueError(f"An index can't be walked from a place in this order: {terms}")

    @property
    def columns(self) -> list[str]:
        return [field.attname for field in self.fields]

    def key(self, row) -> tuple:
        return tuple(getattr(row, field.attname) for field in self.fields)

    def stored_key(self, row) -> list:
        """The key of `row` as parameters of a handwritten query."""
        values = zip(self.fields, self.key(row), strict=True)
        return [field.get_db_prep_value(value, connection) for field, value in values]

    def place_of(self, row) -> list[str]:
        """The place of `row`, as written in a URL."""
        return list(map(_as_text, self.key(row)))

    def parse(self, texts: list[str]) -> list | None:
        """Parses a place that place_of() wrote; None for anything else."""
        if len(texts) != len(self.fields):
            return None
        try:
            return [_as_value(field, text) for field, text in zip(self.fields, texts, strict=True)]
        except (ValueError, OverflowError):
            return None

    def beyond(self, place: Sequence, *, backwards: bool = False):
        """A condition for rows after `place`, or before it if `backwards`."""
        row = RowValue(*(F(field.attname) for field in self.fields))
        values = RowValue(*(Value(value, field) for value, field in zip(place, self.fields, strict=True)))
        return (LessThan if self.is_descending != backwards else GreaterThan)(row, values)


def _as_text(value) -> str:
    return str((value - EPOCH) // MICROSECOND if isinstance(value, datetime) else value)


def _as_value(field, text: str):
    """Raises ValueError or OverflowError for an invalid value of the field."""
    if isinstance(field, DateTimeField | IntegerField):
        if not is_number(text.removeprefix("-")):  # moments before 1970 are negative
            raise ValueError
        return EPOCH + int(text) * MICROSECOND if isinstance(field, DateTimeField) else int(text)
    if "\0" in text or len(text) > LONGEST_TEXT:
        raise ValueError
    return text


@dataclass(frozen=True)
class Page:
    """Rows, and the places of the previous and next page; empty if there is no such page."""

    rows: list
    before: list[str]
    after: list[str]


def page(parts: Sequence[QuerySet], query: QueryDict, size: int) -> Page:
    """The page that `query` asks for; the first page if it asks for none or for an invalid one.

    `parts` have the same order and no common row. At most one page is read from each.
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
    """The query string of another page: turned(query, after=page.after)."""
    turned = query.copy()
    for name in (AFTER, BEFORE):
        turned.pop(name, None)
        if places.get(name):
            turned.setlist(name, places[name])
    return turned.urlencode()


@dataclass(frozen=True)
class Beside:
    """The keys of the rows before and after a row, how many are before it, and how many there are."""

    previous: int | None
    next: int | None
    count_before: int
    count: int


def beside(queryset: QuerySet, row, *, most: int) -> Beside | None:
    """What stands beside `row` in `queryset`, in one query. None if `row` is not one of its rows.

    The counts are capped at `most` + 1. If no index has the order, reads the keys of all rows, which must be
    few then.
    """
    if any(not isinstance(term, str) for term in queryset.query.order_by):
        return _beside_in(list(queryset.values_list("pk", flat=True)), row.pk, most)
    order = Order(queryset)
    try:
        listed, params = queryset.order_by().values(*order.columns).query.sql_with_params()
    except EmptyResultSet:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_beside_sql(order, listed, most), [*params, *3 * order.stored_key(row), row.pk])
        found = cursor.fetchone()
    return Beside(*found) if found else None


def _beside_in(keys: list[int], key: int, most: int) -> Beside | None:
    if key not in keys:
        return None
    place = keys.index(key)
    previous = keys[place - 1] if place else None
    following = keys[place + 1] if place + 1 < len(keys) else None
    return Beside(previous, following, min(place, most + 1), min(len(keys), most + 1))


def _beside_sql(order: Order, listed: str, most: int) -> str:
    rising, falling = (", ".join(f"{column} {way}" for column in order.columns) for way in ("ASC", "DESC"))
    is_descending = order.is_descending
    return BESIDE.format(
        listed=listed,
        key=order.columns[-1],
        fields=f"({', '.join(order.columns)})",
        row=f"({', '.join(['%s'] * len(order.columns))})",
        before=">" if is_descending else "<",
        after="<" if is_descending else ">",
        forwards=falling if is_descending else rising,
        backwards=rising if is_descending else falling,
        most=most + 1,
    )


class CappedCount(Subquery):
    """Counts the rows of a queryset, which may use OuterRef, up to MOST_COUNTED + 1."""

    template = COUNT.format("%(subquery)s")
    output_field = IntegerField()
    empty_result_set_value = 0

    def __init__(self, queryset: QuerySet):
        super().__init__(_capped(queryset))


def capped_counts(querysets: Iterable[QuerySet]) -> list[int]:
    """Counts the rows of each queryset up to MOST_COUNTED + 1, in one query."""
    parts, params = [], []
    for queryset in querysets:
        try:
            sql, values = _capped(queryset).query.sql_with_params()
        except EmptyResultSet:
            sql, values = "SELECT 1 WHERE 1 = 0", ()
        parts.append(COUNT.format(sql))
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return list(cursor.fetchone())


def _capped(queryset: QuerySet) -> QuerySet:
    return queryset.order_by().values("pk")[: MOST_COUNTED + 1]


def short(count: int) -> str:
    """A capped count for a badge, for example "1,000+"."""
    return f"{_number(MOST_COUNTED)}+" if count > MOST_COUNTED else _number(count)


def in_words(count: int) -> str:
    """A capped count for a sentence, for example "more than 1,000"."""
    return (
        _("more than %(count)s") % {"count": _number(MOST_COUNTED)}
        if count > MOST_COUNTED
        else _number(count)
    )


def _number(count: int) -> str:
    return number_format(count, use_l10n=True, force_grouping=True)
