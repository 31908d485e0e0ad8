from datetime import timedelta

from django import forms
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.validators import is_number
from tickets.models import Category, Ticket
from tickets.search.finding import Search
from tickets.search.query import MAX_LENGTH, Filter, Query
from tickets.workflow import OPEN, Phase


class Show(models.TextChoices):
    """The tabs above a list of tickets."""

    OPEN = "open", _("Open")
    NEW = Phase.NEW, _("New")
    ACTIVE = Phase.ACTIVE, _("In work")
    WAITING = Phase.WAITING, _("Waiting")
    DONE = Phase.DONE, _("Done")
    ALL = "all", _("All")

    @property
    def phases(self) -> tuple[str, ...]:
        return {Show.OPEN: OPEN, Show.ALL: tuple(Phase)}.get(self, (self.value,))

    @classmethod
    def unless_chosen(cls, query: Query) -> "Show":
        """A search looks through everything; a list begins with what is open."""
        return cls.ALL if query.looks_everywhere else cls.OPEN


class Who(models.TextChoices):
    OURS = "ours", _("Mine and unassigned")
    MINE = "mine", _("Mine")
    UNASSIGNED = "unassigned", _("Unassigned")


class Period(models.TextChoices):
    TODAY = "today", _("Filed today")
    WEEK = "week", _("Filed in the last 7 days")
    MONTH = "month", _("Filed in the last 30 days")
    QUARTER = "quarter", _("Filed in the last 90 days")

    @property
    def start(self):
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return today - timedelta(days={"today": 0, "week": 7, "month": 30, "quarter": 90}[self.value])


class Sort(models.TextChoices):
    """The orders of what was found."""

    NEWEST = "newest", _("Newest first")
    BEST = "best", _("Best match first")


class TicketFilterForm(forms.Form):
    """The filters above a list. A value that is not offered is passed over, like one that is not there."""

    longest_search = MAX_LENGTH

    q = forms.CharField(required=False)
    phase = forms.ChoiceField(choices=Show.choices, required=False)
    category = forms.ChoiceField(label=_("Category"), required=False)
    sort = forms.ChoiceField(label=_("Order"), choices=Sort.choices, required=False)
    priority = forms.ChoiceField(
        label=_("Priority"), choices=[("", _("Any priority")), *Ticket.Priority.choices], required=False
    )

    in_sight = ("category", "sort")
    # Behind "More filters"; the search takes these as if they were typed into the box.
    hidden = ("status", "priority", "filed_from", "filed_before", "unassigned", "has_file")
    typed_as = {"filed_from": "after", "filed_before": "before", "unassigned": "is", "has_file": "has"}

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        # Names by number, asked once: for the field, the search box and the rows.
        self.categories = dict(Category.objects.values_list("pk", "name"))
        self.fields["category"].choices = [("", _("All categories")), *self.categories.items()]
        self.is_valid()
        self.search = Search(self._value("q") or "", user=user, chosen=self._chosen())
        if not self.search.has_words:
            del self.fields["sort"]
        self.selects = [self[name] for name in self.in_sight if name in self.fields]
        for select in self.selects:
            select.field.widget.attrs["class"] = "form-select"

    def _chosen(self) -> list[Filter]:
        chosen = (
            (name, self.data.get(field, "").replace("\0", " ").strip())
            for field, name in self.typed_as.items()
        )
        return [Filter(name, value[:MAX_LENGTH]) for name, value in chosen if value]

    @property
    def status(self) -> int | None:
        """The number of the chosen status."""
        chosen = self.data.get("status", "")
        return int(chosen) if is_number(chosen) else None

    @property
    def priorities(self) -> list[tuple[str, str]]:
        return self.fields["priority"].choices

    @property
    def has_more(self) -> bool:
        """Whether something is chosen behind "More filters"."""
        return any(map(self.data.get, self.hidden))

    def filtered(self, tickets):
        """`tickets` without the ones filtered out; the phase is shown()'s matter."""
        if "q" in self.errors:
            return tickets.none()
        if category := self._value("category"):
            tickets = tickets.filter(category=category)
        if self.status is not None:
            tickets = tickets.filter(status=self.status)
        if priority := self._value("priority"):
            tickets = tickets.of_priority(priority)
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
        return any(map(self.data.get, {"q", *self.in_sight, *self.hidden} - {"sort"}))

    def _value(self, name: str):
        return self.cleaned_data.get(name)


class StaffTicketFilterForm(TicketFilterForm):
    """With what the queue in the admin can be filtered by."""

    who = forms.ChoiceField(
        label=_("Who takes care"), choices=[("", _("Everybody's")), *Who.choices], required=False
    )
    period = forms.ChoiceField(
        label=_("Filed"), choices=[("", _("Filed at any time")), *Period.choices], required=False
    )

    in_sight = ("category", "sort", "who", "priority", "period")
    hidden = ("status", "requester", "assignee", "filed_from", "filed_before", "has_file")
    typed_as = {
        "requester": "requester", "assignee": "assignee", "filed_from": "after", "filed_before": "before",
        "has_file": "has",
    }  # fmt: skip

    def filtered(self, tickets):
        tickets = super().filtered(tickets)
        if (who := self._value("who")) == Who.MINE:
            tickets = tickets.assigned_to(self.user)
        elif who == Who.OURS:
            tickets = tickets.mine_or_unassigned(self.user)
        elif who == Who.UNASSIGNED:
            tickets = tickets.unassigned()
        if period := self._value("period"):
            tickets = tickets.filed_since(Period(period).start)
        return tickets
