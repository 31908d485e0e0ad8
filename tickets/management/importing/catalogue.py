"""Categories, statuses and priorities by the names that a file uses, and those that an import makes."""

from django.core.exceptions import ValidationError

from tickets.models import Category, Status, Ticket
from tickets.rules.workflow import Phase

FALLBACK_CATEGORY = "Other"


class Catalogue:
    """Looks everything up once. What is missing is made only where the options allow it."""

    def __init__(self, *, create_categories: bool = False, create_statuses: bool = False):
        self.create_categories, self.create_statuses = create_categories, create_statuses
        self.new, self.done = (Status.objects.default_for(phase) for phase in (Phase.NEW, Phase.DONE))
        self._categories = {category.name.lower(): category for category in Category.objects.all()}
        self._statuses = {status.name.lower(): status for status in Status.objects.all()}
        self._priorities = {str(label).lower(): value for value, label in Ticket.Priority.choices}
        self._priorities |= {value: value for value in Ticket.Priority.values}
        self._phases = {str(label).lower(): value for value, label in Phase.choices}

    def category(self, name: str) -> Category:
        """Raises ValidationError where there is none. Without a name it is FALLBACK_CATEGORY."""
        is_named, name = bool(name), name or FALLBACK_CATEGORY
        category = self._categories.get(name.lower())
        if category is None and is_named and not self.create_categories:
            raise ValidationError(f"there is no category {name!r}. --create-categories would make it")
        if category is None:
            category = Category(name=name, position=len(self._categories) + 1)
            category.full_clean()
            category.save()
            self._categories[name.lower()] = category
        return category

    def status(self, name: str, *, phase: str) -> Status:
        """Raises ValidationError where there is none; `phase` names that of one that is made."""
        status = self._statuses.get(name.lower())
        if status is None and not self.create_statuses:
            raise ValidationError(f"there is no status {name!r}. --create-statuses would make it")
        if status is None:
            status = self._statuses[name.lower()] = self._new_status(name, phase)
        return status

    def _new_status(self, name: str, phase: str) -> Status:
        if phase.lower() not in self._phases:
            known = ", ".join(self._phases)
            raise ValidationError(f"there is no status {name!r}, and no phase for it: one of {known}")
        status = Status(name=name, phase=self._phases[phase.lower()], position=len(self._statuses) + 1)
        status.full_clean()
        status.save()
        return status

    def priority(self, name: str) -> str:
        """Raises ValidationError where there is none."""
        if name and name.lower() not in self._priorities:
            raise ValidationError(f"there is no priority {name!r}. Use low, normal, high or urgent")
        return self._priorities.get(name.lower(), Ticket.Priority.NORMAL)
