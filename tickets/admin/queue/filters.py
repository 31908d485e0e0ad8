"""The filters of the admin's lists. Those of tickets are declared in tickets.search.filters.

Ignores values that are not offered; the queue reports them (tickets.admin.queue.queue).
"""

from django.contrib import admin
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.validators import is_number
from helpdesk.lists.paging import short
from tickets.admin.queue.context import context_of
from tickets.models import Notification
from tickets.reports import filters as declarations
from tickets.rules.events import CHOICES
from tickets.search.choices import Show, Sort
from tickets.search.filters import Filter
from tickets.search.query import parse


class ChoiceFilter(admin.SimpleListFilter):
    """Filters by `choices_offered`: values of the field `parameter_name`, unless queryset() is overridden."""

    choices_offered: list[tuple[str, str]] = []
    everything = ""  # the value that filters nothing

    def lookups(self, request, model_admin):
        return self.choices_offered

    @cached_property
    def values_offered(self) -> set[str]:
        return {str(key) for key, _label in self.lookup_choices}

    def value(self):
        value = super().value()
        return value if value in self.values_offered else None

    def queryset(self, request, queryset):
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class DeclaredFilter(ChoiceFilter):
    """A filter of tickets, as declared."""

    declared: Filter

    def __init__(self, request, params, model, model_admin):
        self.context = context_of(model_admin, request)
        self.asking = self.context.asking(request.GET)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request, model_admin):
        return self.declared.choices(self.asking)

    def queryset(self, request, queryset):
        value = self.value()
        return self.declared.narrow(queryset, value, self.asking) if value else queryset


class DefaultFilter(DeclaredFilter):
    """If no choice has the default value, it stands for Django's "All" at the top."""

    @property
    def default(self) -> str:
        return self.declared.default

    @property
    def everything(self) -> str:
        return self.default

    def choices(self, changelist):
        chosen = self.value() or self.default
        for value, label in self.lookup_choices:
            yield {
                "selected": chosen == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }


class PhaseFilter(DefaultFilter):
    """Shows open tickets by default, so "Open" needs no parameter."""

    title, parameter_name, declared = _("phase"), "phase", declarations.ALL["phase"]
    everything = Show.ALL.value

    def __init__(self, request, params, model, model_admin):
        self.shown_unless_chosen = Show.unless_chosen(parse(request.GET.get("q", "")))
        super().__init__(request, params, model, model_admin)

    def value(self):
        return super().value() or self.shown_unless_chosen.value

    def choices(self, changelist):
        """Adds the number of matching tickets to each choice, if they are counted."""
        counts = changelist.phase_counts
        for choice, (value, _label) in zip(super().choices(changelist), self.lookup_choices, strict=True):
            yield choice | {"count": counts and short(sum(counts[phase] for phase in Show(value).phases))}


class LinkFilter(DeclaredFilter):
    """A filter that figures of a report link to. Visible only while it filters, so that it can be removed."""

    def __init__(self, request, params, model, model_admin):
        self.asked = request.GET.get(self.parameter_name, "")
        super().__init__(request, params, model, model_admin)

    def lookups(self, request, model_admin):
        label = self.label_of(self.asked)
        return [(self.asked, label)] if label else []

    def value(self):
        """Reads the value from its own changelist, which may differ from the request, as for the view of a
        tab.
        """
        value = admin.SimpleListFilter.value(self)
        return value if value and self.label_of(value) else None

    def label_of(self, value: str) -> str:
        """Returns the label of a value. Cached, because a page builds its filters several times."""
        labels, key = self.context.labels, (self.parameter_name, value)
        if key not in labels:
            labels[key] = self.declared.label_of(value, self.asking) if value else ""
        return labels[key]

    @property
    def people(self) -> list:
        """Returns the people that it filters by."""
        value = self.value() if self.parameter_name == "assignee" else None
        person = self.asking.person(int(value)) if value and is_number(value) else None
        return [person] if person else []


def list_filter(declared: Filter) -> type[DeclaredFilter]:
    """Builds the admin's filter from a declaration."""
    base = LinkFilter if declared.named else DefaultFilter if declared.default else DeclaredFilter
    names = {"title": declared.label, "parameter_name": declared.name, "declared": declared}
    return type(f"{declared.name.title()}Filter", (base,), names)


class SortFilter(ChoiceFilter):
    """Selects the order of the results. Without a choice: the queue's own order."""

    title = _("order")
    parameter_name = "sort"

    def lookups(self, request, model_admin):
        return Sort.choices if context_of(model_admin, request).search(request.GET).has_words else []

    def queryset(self, request, queryset):
        return queryset  # get_ordering() in queue.py sorts


IN_SIGHT = ("who", "priority", "period", "category")
TICKET_FILTERS = (
    PhaseFilter,
    *(list_filter(declarations.ALL[name]) for name in IN_SIGHT),
    SortFilter,
    # The filters that figures of a report link to.
    *map(list_filter, declarations.FIGURES),
    *(list_filter(declarations.ALL[name]) for name in ("assignee", "requester", "status")),
)
QueuedFilter = list_filter(declarations.QUEUED)


class StateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = "state"
    choices_offered = [("undelivered", _("not delivered")), *Notification.State.choices]

    def queryset(self, request, queryset):
        if self.value() == "undelivered":
            return queryset.undelivered()
        return super().queryset(request, queryset)


class VerbFilter(ChoiceFilter):
    title = _("event")
    parameter_name = "verb"
    choices_offered = CHOICES


class OwnerFilter(ChoiceFilter):
    title = _("visibility")
    parameter_name = "whose"
    choices_offered = [("mine", _("only mine")), ("shared", _("shared with all staff"))]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        return queryset.filter(owner=request.user if self.value() == "mine" else None)
