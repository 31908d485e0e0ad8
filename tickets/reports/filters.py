"""Filters of the queue and of the outbox for links from reports.

Declared like those of tickets.search.filters. They exclude merged tickets, because their target counts.
"""

from collections.abc import Callable
from functools import partial

from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from tickets.reports.figures import (
    AGES,
    age_in_words,
    age_value,
    aged,
    answered_numbers,
    in_span,
    reopened_numbers,
)
from tickets.reports.periods import Span
from tickets.rules.events import Verb
from tickets.search.filters import FILTERS, Filter
from tickets.search.narrowing import Asking

AGES_BY_VALUE = {age_value(age): age for age in AGES}


def _span_named(value: str, asking: Asking) -> str:
    span = Span.parse(value)
    return f"{date_format(span.first)} – {date_format(span.last)}" if span else ""


def _in_span(column: str) -> Callable[[QuerySet, str, Asking], QuerySet]:
    """Filters by `column` within the span."""
    return _unmerged(lambda span: in_span(column, span))


def _unmerged(passing: Callable[[Span], Q]) -> Callable[[QuerySet, str, Asking], QuerySet]:
    return lambda tickets, value, asking: tickets.filter(passing(Span.parse(value)), merged_into=None)


def _numbered(numbers: Callable[[Span], QuerySet]) -> Callable[[QuerySet, str, Asking], QuerySet]:
    """Filters by ticket numbers from the activity log."""
    return _unmerged(lambda span: Q(pk__in=numbers(span)))


def _age_named(value: str, asking: Asking) -> str:
    return age_in_words(AGES_BY_VALUE[value]) if value in AGES_BY_VALUE else ""


def _by_age(tickets: QuerySet, value: str, asking: Asking) -> QuerySet:
    return tickets.filter(aged(AGES_BY_VALUE[value]), merged_into=None)


def _queued(mails: QuerySet, value: str, asking: Asking) -> QuerySet:
    return mails.filter(in_span("created_at", Span.parse(value)))


def _of_span(name: str, label: str, narrow: Callable[[QuerySet, str, Asking], QuerySet]) -> Filter:
    return Filter(name, label, narrow=narrow, named=_span_named, is_for_staff=True)


FIGURES = (
    _of_span("created", _("created"), _in_span("created_at")),
    _of_span("solved", _("solved"), _in_span("done_at")),
    _of_span("answered", _("first replied"), _in_span("first_replied_at")),
    _of_span("reopened", _("reopened"), _numbered(reopened_numbers)),
    _of_span("confirmed", _("confirmed as solved"), _numbered(partial(answered_numbers, Verb.CONFIRMED))),
    _of_span("not_fixed", _("reported as not solved"), _numbered(partial(answered_numbers, Verb.NOT_FIXED))),
    # Days since the creation: 3-7, or 30- for 30 and more.
    Filter("age", _("age"), narrow=_by_age, named=_age_named, is_for_staff=True),
)
QUEUED = _of_span("queued", _("queued"), _queued)

# All filters of tickets by name, for links to the queue and saved views.
ALL = {declared.name: declared for declared in (*FILTERS, *FIGURES)}
