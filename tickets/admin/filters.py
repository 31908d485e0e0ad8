"""The filters of the staff's lists. A value that is not offered is passed over."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils.formats import date_format
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.validators import is_number
from tickets.events import Verb
from tickets.forms.filters import Period, Show, Sort, Who
from tickets.models import Category, Notification, Status, Ticket
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
from tickets.search.finding import Search
from tickets.search.query import parse


def search_of(request) -> Search:
    """What is asked in the search box; read once a request."""
    typed = request.GET.get("q", "")
    if getattr(request, "search", None) is None or request.search.typed != typed:
        request.search = Search(typed, user=request.user)
    return request.search


def known(request, model: type[Model]) -> dict[int, Model]:
    """The few rows of Category or Status by number; read once a request, for filters, views and rows."""
    tables = request.__dict__.setdefault("known", {})
    if model not in tables:
        tables[model] = {row.pk: row for row in model.objects.all()}
    return tables[model]


def is_by_change(request) -> bool:
    """Whether the queue is shown with the newest change first: what is done, or where it is chosen.

    Also where the best match is chosen: of matches that are equally good, or too many to tell.
    """
    return request.GET.get("sort") in Sort.values or show_of(request) in (Show.DONE, Show.ALL)


def show_of(request) -> Show:
    """The phases that the queue shows."""
    chosen = request.GET.get("phase")
    return Show(chosen) if chosen in Show.values else Show.unless_chosen(parse(request.GET.get("q", "")))


class ChoiceFilter(admin.SimpleListFilter):
    """One of `choices_offered`: a value of the field `parameter_name`, where queryset() says nothing else."""

    choices_offered: list[tuple[str, str]] = []

    def lookups(self, request, model_admin):
        return self.choices_offered

    def value(self):
        value = super().value()
        return value if value in {str(key) for key, _label in self.lookup_choices} else None

    def queryset(self, request, queryset):
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class PhaseFilter(ChoiceFilter):
    """Open tickets unless something else is asked for."""

    title = _("phase")
    parameter_name = "phase"
    choices_offered = Show.choices

    def __init__(self, request, params, model, model_admin):
        self.default = Show.unless_chosen(parse(request.GET.get("q", "")))
        super().__init__(request, params, model, model_admin)

    def value(self):
        return super().value() or self.default.value

    def choices(self, changelist):
        """Without Django's "All" at the top: ours is the last, and "Open" needs no parameter."""
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request, queryset):
        statuses = SimpleLazyObject(lambda: known(request, Status).values())  # most phases need none
        return queryset.in_phase(*Show(self.value()).phases, statuses=statuses)


class WhoFilter(ChoiceFilter):
    """Everybody's has a value of its own: without any filter the queue is the own view (see queue.py)."""

    title = _("who takes care")
    parameter_name = "who"
    everybody = "all"
    choices_offered = [*Who.choices, (everybody, _("Everybody's"))]

    def choices(self, changelist):
        for value, label in self.lookup_choices:
            yield {
                "selected": (self.value() or self.everybody) == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request, queryset):
        match self.value():
            case Who.OURS:
                return queryset.mine_or_unassigned(request.user)
            case Who.MINE:
                return queryset.assigned_to(request.user)
            case Who.UNASSIGNED:
                return queryset.unassigned()
        return queryset


class CategoryFilter(ChoiceFilter):
    title = _("category")
    parameter_name = "category"

    def lookups(self, request, model_admin):
        return [(str(pk), category.name) for pk, category in known(request, Category).items()]


class SortFilter(ChoiceFilter):
    """The order of what was found; without a choice it is the queue's own."""

    title = _("order")
    parameter_name = "sort"

    def lookups(self, request, model_admin):
        return Sort.choices if search_of(request).has_words else []

    def queryset(self, request, queryset):
        return queryset  # see get_ordering() in queue.py


class PriorityFilter(ChoiceFilter):
    title = _("priority")
    parameter_name = "priority"
    choices_offered = list(reversed(Ticket.Priority.choices))

    def queryset(self, request, queryset):
        return queryset.of_priority(self.value()) if self.value() else queryset


class PeriodFilter(ChoiceFilter):
    title = _("period")
    parameter_name = "period"
    choices_offered = Period.choices

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        start = Period(self.value()).start
        return (
            queryset.filed_since(start) if is_by_change(request) else queryset.filter(created_at__gte=start)
        )


class StateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = "state"
    choices_offered = [("undelivered", _("not delivered")), *Notification.State.choices]

    def queryset(self, request, queryset):
        if self.value() == "undelivered":
            return queryset.undelivered()
        return super().queryset(request, queryset)


class VerbFilter(ChoiceFilter):
    title = _("what")
    parameter_name = "verb"
    choices_offered = Verb.choices


class OwnerFilter(ChoiceFilter):
    title = _("whose")
    parameter_name = "whose"
    choices_offered = [("mine", _("only mine")), ("shared", _("shared with all staff"))]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        return queryset.filter(owner=request.user if self.value() == "mine" else None)


class LinkFilter(admin.SimpleListFilter):
    """A filter that figures of a report link to. It is shown only where it filters, to be taken off."""

    def __init__(self, request, params, model, model_admin):
        self.request, self.asked = request, request.GET.get(self.parameter_name, "")
        # Of the request: a list is made several times for one page, and each time with filters of its own.
        self.labels = request.__dict__.setdefault("labels_of_filters", {})
        super().__init__(request, params, model, model_admin)

    def lookups(self, request, model_admin):
        label = self.label_of(self.asked)
        return [(self.asked, label)] if label else []

    def value(self):
        value = super().value()
        return value if value and self.label_of(value) else None

    def label_of(self, value: str) -> str:
        """label(), asked once: Django asks for the value again and again."""
        key = (self.parameter_name, value)
        if key not in self.labels:
            self.labels[key] = self.label(value)
        return self.labels[key]

    def label(self, value: str) -> str:
        """In words; empty for a value that makes no sense."""
        raise NotImplementedError


class SpanFilter(LinkFilter):
    """What happened in a span, by the time in `column`."""

    column: str

    def label(self, value):
        span = Span.parse(value)
        return f"{date_format(span.first)} – {date_format(span.last)}" if span else ""

    def queryset(self, request, queryset):
        return self.within(queryset, Span.parse(self.value())) if self.value() else queryset

    def within(self, tickets, span: Span):
        return tickets.filter(in_span(self.column, span), merged_into=None)


class CreatedFilter(SpanFilter):
    title, parameter_name, column = _("filed"), "created", "created_at"


class SolvedFilter(SpanFilter):
    title, parameter_name, column = _("solved"), "solved", "done_at"


class FirstReplyFilter(SpanFilter):
    title, parameter_name, column = _("first answered"), "answered", "first_replied_at"


class ReopenedFilter(SpanFilter):
    title, parameter_name = _("reopened"), "reopened"

    def within(self, tickets, span: Span):
        return tickets.filter(pk__in=reopened_numbers(span), merged_into=None)


class AnswerFilter(SpanFilter):
    """What requesters answered to “Is it fixed?”, as `verb` in the log."""

    verb: Verb

    def within(self, tickets, span: Span):
        return tickets.filter(pk__in=answered_numbers(self.verb, span), merged_into=None)


class ConfirmedFilter(AnswerFilter):
    title, parameter_name, verb = _("confirmed as fixed"), "confirmed", Verb.CONFIRMED


class NotFixedFilter(AnswerFilter):
    title, parameter_name, verb = _("reported as not fixed"), "not_fixed", Verb.NOT_FIXED


class AgeFilter(LinkFilter):
    """Days since the filing: 3-7, or 30- for 30 and more."""

    title, parameter_name = _("age"), "age"

    ages = {age_value(age): age for age in AGES}

    def label(self, value):
        return age_in_words(self.ages[value]) if value in self.ages else ""

    def queryset(self, request, queryset):
        return queryset.filter(aged(self.ages[self.value()]), merged_into=None) if self.value() else queryset


class NumberFilter(LinkFilter):
    """A row of another table by its number; 0: none. The filter is called like the field."""

    def label(self, value):
        if not is_number(value):
            return ""
        return str(self.row(int(value)) or "") if int(value) else str(_("nobody"))

    def row(self, number: int) -> Model | None:
        rows = Ticket._meta.get_field(self.parameter_name).related_model._base_manager
        return rows.filter(pk=number).first()

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        return queryset.filter(**{self.parameter_name: int(self.value()) or None}, merged_into=None)


class AssigneeFilter(NumberFilter):
    title, parameter_name = _("assignee"), "assignee"

    def row(self, number):
        """Also somebody who left: the name says so."""
        person = self._person(number)
        return person and person.marked_name

    @property
    def people(self) -> list:
        """Whom it filters by."""
        person = self._person(int(self.value() or 0))
        return [person] if person else []

    def _person(self, number: int):
        """Asked once a request, see LinkFilter."""
        people = self.request.__dict__.setdefault("people_of_filters", {})
        if number and number not in people:
            people[number] = get_user_model().objects.with_role().filter(pk=number).first()
        return people.get(number)


class StatusFilter(NumberFilter):
    title, parameter_name = _("status"), "status"

    def row(self, number):
        return known(self.request, Status).get(number)


class QueuedFilter(SpanFilter):
    """For the outbox."""

    title, parameter_name = _("queued"), "queued"

    def within(self, mails, span: Span):
        return mails.filter(in_span("created_at", span))
