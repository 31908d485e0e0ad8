"""Finds open tickets and categories that belong to former staff, after raw SQL or a restored backup."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import handing_over
from tickets.models import Category, Handover

logger = logging.getLogger(__name__)
# Younger violations are about to be handed over by the job.
OLD_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Violation:
    """`what` belongs to `person`, who does not work; a plain sentence."""

    person: Any
    what: str

    def __str__(self):
        return self.what


def violations(*, older_than: timedelta = OLD_AFTER) -> list[Violation]:
    """Returns open tickets and categories of people who do not work, unless the violation is younger."""
    since = timezone.now() - older_than
    in_time = Handover.objects.open().filter(person=OuterRef("pk"), asked_at__gt=since)
    people = get_user_model().objects.exclude(Exists(in_time))
    found = []
    tickets = handing_over.left_open().filter(updated_at__lte=since)
    rows = list(tickets.values_list("pk", "assignee"))
    gone = people.in_bulk({person for _number, person in rows})
    for number, person in rows:
        if person in gone:
            what = f"Ticket #{number} is assigned to {gone[person]}, who does not work on tickets."
            found.append(Violation(gone[person], what))
    staff = get_user_model().objects.staff().filter(pk=OuterRef("default_assignee"))
    categories = Category.objects.exclude(default_assignee=None).exclude(Exists(staff))
    for category in categories.filter(default_assignee__in=people).select_related("default_assignee"):
        person = category.default_assignee
        what = f"New tickets in {category} would be assigned to {person}, who does not work on tickets."
        found.append(Violation(person, what))
    return found


def check() -> list[Violation]:
    """Logs each violation, and hands over what was found. Returns the violations."""
    found = violations()
    for violation in found:
        logger.warning("%s", violation)
    with acting_as(None):
        for person in dict.fromkeys(violation.person for violation in found):
            Handover.objects.ask(person)
    if found:
        handing_over.hand_over()
    return found
