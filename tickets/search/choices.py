"""The choices above lists of tickets: phase, assignee, period, order."""

from datetime import datetime, timedelta
from types import MappingProxyType

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.rules.workflow import OPEN, Phase


class Show(models.TextChoices):
    """The tabs above a list of tickets."""

    OPEN = "open", _("Open")
    NEW = Phase.NEW, _("New")
    ACTIVE = Phase.ACTIVE, _("Active")
    WAITING = Phase.WAITING, _("Waiting")
    DONE = Phase.DONE, _("Done")
    ALL = "all", _("All")

    @property
    def phases(self) -> tuple[str, ...]:
        return {Show.OPEN: OPEN, Show.ALL: tuple(Phase)}.get(self, (self.value,))

    @classmethod
    def unless_chosen(cls, query) -> "Show":
        """The default tab: all tickets for a search (`query` comes from parse()), otherwise open ones."""
        return cls.ALL if query.looks_everywhere else cls.OPEN


class Who(models.TextChoices):
    OURS = "ours", _("Mine and unassigned")
    MINE = "mine", _("Mine")
    UNASSIGNED = "unassigned", _("Unassigned")
    ALL = "all", _("Any assignee")


class Period(models.TextChoices):
    TODAY = "today", _("Created today")
    WEEK = "week", _("Created in the last 7 days")
    MONTH = "month", _("Created in the last 30 days")
    QUARTER = "quarter", _("Created in the last 90 days")

    @property
    def start(self) -> datetime:
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return today - timedelta(days={"today": 0, "week": 7, "month": 30, "quarter": 90}[self.value])


class Sort(models.TextChoices):
    """The orders of search results."""

    NEWEST = "newest", _("Newest first")
    BEST = "best", _("Best match first")


# The orders of the queue by name that have an index, each with its fields. The others are in
# tickets.search.sorting.
COLUMNS = MappingProxyType(
    {
        "age": ("created_at", "pk"),
        "priority": ("urgency_rank", "created_at", "pk"),
        "status": ("status_id", "urgency_rank", "created_at", "pk"),
        "changed": ("updated_at", "pk"),
    }
)
ORDERS_OF_ALL = ("age", "changed")  # the other indexes hold open tickets only
# In old URLs the time of filing had position 7, or 8 beside the excerpts of a search (without the column of
# checkboxes).
OLD_COLUMNS = MappingProxyType({7: "age", 8: "age"})
