"""The filters above the portal's lists of tickets, declared in tickets.search.filters."""

from collections.abc import Iterable
from dataclasses import dataclass

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.validators import number_or_none
from tickets.models import Category, Status
from tickets.search.choices import Show, Sort
from tickets.search.filters import BY_NAME, Filter
from tickets.search.finding import Search
from tickets.search.narrowing import Asking
from tickets.search.query import MAX_LENGTH
from tickets.search.terms import Asked


@dataclass(frozen=True)
class FilterField:
    """A field behind "More filters"."""

    name: str
    label: str
    kind: str  # text, date, tick or choice
    value: str = ""  # the selected value
    ticked: str = ""
    choices: Iterable[tuple[str, str]] = ()


class TicketFilterForm(forms.Form):
    """The filters above a list. Ignores values that are not offered, like missing ones."""

    longest_search = MAX_LENGTH

    q = forms.CharField(required=False)
    sort = forms.ChoiceField(label=_("Order"), choices=Sort.choices, required=False)

    in_sight = ("category", "sort")
    # The fields behind "More filters". The search handles those with a box like words of the search box.
    hidden = ("status", "priority", "after", "before", "is", "has")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        # Names by primary key, loaded once for the field, the search box and the rows.
        self.categories = dict(Category.objects.values_list("pk", "name"))
        self.asking = Asking(user, self.categories, Status.objects.all())
        for declared in self._declared("phase", *self.in_sight, *self.hidden):
            if declared.values and declared.name != "status":
                self.fields[declared.name] = _field(declared, self.asking)
        self.is_valid()
        self.search = Search(self._value("q") or "", user=user, chosen=self._chosen())
        if not self.search.has_words:
            del self.fields["sort"]
        self.selects = [self[name] for name in self.in_sight if name in self.fields]
        for select in self.selects:
            select.field.widget.attrs["class"] = "form-select"

    def _declared(self, *names: str) -> list[Filter]:
        """Returns the declared filters of `names` that this person may use.

        Other names, like an order, are no filters.
        """
        declared = [BY_NAME[name] for name in names if name in BY_NAME]
        return [one for one in declared if one.may_be_used_by(self.user)]

    def _chosen(self) -> list[Asked]:
        """Returns the selected values as words of the search box."""
        boxes = [declared for declared in self._declared(*self.hidden) if declared.box]
        chosen = ((one.word.name, self.data.get(one.box.parameter, "")) for one in boxes)
        chosen = ((name, value.replace("\0", " ").strip()) for name, value in chosen)
        return [Asked(name, value[:MAX_LENGTH]) for name, value in chosen if value]

    @property
    def status(self) -> int | None:
        """Returns the primary key of the selected status."""
        return number_or_none(self.data.get("status", ""))

    @property
    def hidden_parameters(self) -> list[str]:
        return [one.box.parameter if one.box else one.name for one in self._declared(*self.hidden)]

    @property
    def has_more(self) -> bool:
        """Whether a filter behind "More filters" is set."""
        return any(map(self.data.get, self.hidden_parameters))

    def more(self, statuses: Iterable[Status]) -> list[FilterField]:
        """Returns the fields behind "More filters". `statuses` are all statuses."""
        asking = Asking(self.user, self.categories, statuses)
        return [
            shown(declared, self.data, asking, declared.box.parameter if declared.box else declared.name)
            for declared in self._declared(*self.hidden)
        ]

    def filtered(self, tickets):
        """Applies the filters to `tickets`. shown() handles the phase."""
        if "q" in self.errors:
            return tickets.none()
        if self.status is not None:
            tickets = BY_NAME["status"].narrow(tickets, str(self.status), self.asking)
        for declared in self._declared(*self.in_sight, *self.hidden):
            if value := self._value(declared.name):
                tickets = declared.narrow(tickets, value, self.asking)
        return self.search.filter(tickets)

    @property
    def is_best_first(self) -> bool:
        return self._value("sort") == Sort.BEST and self.search.can_be_weighed

    @property
    def show(self) -> Show:
        default = Show.unless_chosen(self.search.query) if self.status is None else Show.ALL
        return Show(self._value("phase") or default)

    @property
    def is_filtered(self) -> bool:
        return any(map(self.data.get, {"q", *self.in_sight, *self.hidden_parameters} - {"sort"}))

    def _value(self, name: str):
        return self.cleaned_data.get(name)


class StaffTicketFilterForm(TicketFilterForm):
    """Adds the filters of the queue in the admin."""

    in_sight = ("category", "sort", "who", "priority", "period")
    hidden = ("status", "requester", "assignee", "after", "before", "has")


def _field(declared: Filter, asking: Asking) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=capfirst(declared.label), choices=with_everything(declared, asking), required=False
    )


def with_everything(declared: Filter, asking: Asking) -> list[tuple[str, str]]:
    """Returns the choices of a select, with the one that filters nothing on top."""
    choices = [(value, label) for value, label in declared.choices(asking) if value != declared.default]
    return [("", declared.everything), *choices] if declared.everything else choices


def shown(declared: Filter, chosen, asking: Asking, name: str) -> FilterField:
    """Returns the field `name` for a filter behind "More filters", with the value `chosen`."""
    label, value = capfirst(declared.label), chosen.get(name, "")
    if declared.box:
        return FilterField(name, label, declared.box.kind, value, declared.box.ticked)
    return FilterField(name, label, "choice", value, choices=with_everything(declared, asking))
