"""The filters of the staff's lists. A value that is not offered is passed over."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from tickets.events import Verb
from tickets.forms.filters import Period, Show, Who
from tickets.models import Category, Notification, Ticket


class ChoiceFilter(admin.SimpleListFilter):
    """One of `choices_offered`; subclasses say what a choice means."""

    choices_offered: list[tuple[str, str]] = []

    def lookups(self, request, model_admin):
        return self.choices_offered

    def value(self):
        value = super().value()
        return value if value in {str(key) for key, _label in self.lookup_choices} else None


class PhaseFilter(ChoiceFilter):
    """Open tickets unless something else is asked for."""

    title = _("phase")
    parameter_name = "phase"
    choices_offered = Show.choices

    def value(self):
        return super().value() or Show.OPEN.value

    def choices(self, changelist):
        """Without Django's "All" at the top: ours is the last, and "Open" needs no parameter."""
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": label,
            }

    def queryset(self, request, queryset):
        show = Show(self.value())
        return queryset if show == Show.ALL else queryset.in_phase(*show.phases)


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
        return [(str(pk), name) for pk, name in Category.objects.values_list("pk", "name")]

    def queryset(self, request, queryset):
        return queryset.filter(category=self.value()) if self.value() else queryset


class PriorityFilter(ChoiceFilter):
    title = _("priority")
    parameter_name = "priority"
    choices_offered = list(reversed(Ticket.Priority.choices))

    def queryset(self, request, queryset):
        return queryset.filter(priority=self.value()) if self.value() else queryset


class PeriodFilter(ChoiceFilter):
    title = _("period")
    parameter_name = "period"
    choices_offered = Period.choices

    def queryset(self, request, queryset):
        return queryset.filter(created_at__gte=Period(self.value()).start) if self.value() else queryset


class StateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = "state"
    choices_offered = [("undelivered", _("not delivered")), *Notification.State.choices]

    def queryset(self, request, queryset):
        if self.value() == "undelivered":
            return queryset.undelivered()
        return queryset.filter(state=self.value()) if self.value() else queryset


class VerbFilter(ChoiceFilter):
    title = _("what")
    parameter_name = "verb"
    choices_offered = Verb.choices

    def queryset(self, request, queryset):
        return queryset.filter(verb=self.value()) if self.value() else queryset


class OwnerFilter(ChoiceFilter):
    title = _("whose")
    parameter_name = "whose"
    choices_offered = [("mine", _("only mine")), ("shared", _("shared with all staff"))]

    def queryset(self, request, queryset):
        if self.value() is None:
            return queryset
        return queryset.filter(owner=request.user if self.value() == "mine" else None)
