"""Combines emails if a person gets many about one ticket in a short time.

The rows of a combined email share a batch of their own, so a worker sends them like the rows of one act.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max

from tickets.models import ActivityLog, Notification

WINDOW = timedelta(minutes=10)
MOST = 9  # emails in WINDOW; the next one starts a fold
FOLD = 5  # the UUID version of a fold; that of an act is 4, random


@dataclass
class Window:
    """The emails to one person about one ticket within WINDOW, sent or waiting: {batch: time}."""

    mails: dict[uuid.UUID, datetime] = field(default_factory=dict)
    waiting_fold: uuid.UUID | None = None

    def place(self, batch: uuid.UUID) -> tuple[uuid.UUID, datetime | None]:
        """Returns the batch for a row of the act `batch`, and the earliest time to send it."""
        if batch in self.mails or len(self.mails) < MOST:
            return batch, None
        if self.waiting_fold:
            return self.waiting_fold, self.mails[self.waiting_fold]
        return uuid.uuid5(batch, "fold"), min(self.mails.values()) + WINDOW


def windows(activity: ActivityLog, people: Collection, *, now: datetime) -> dict[int, Window]:
    """Loads {primary key of a person: Window} for all people in one query."""
    found = windows_of_all([activity.ticket_id], people, now=now)
    return defaultdict(Window, {person: window for (_ticket, person), window in found.items()})


def windows_of_all(
    tickets: Collection[int], people: Collection, *, now: datetime
) -> dict[tuple[int, int], Window]:
    """Loads {(primary keys of ticket and person): Window} in one query."""
    rows = Notification.objects.filter(
        ticket__in=tickets, person__in=people, is_digest=False, next_try_at__gt=now - WINDOW
    ).exclude(state=Notification.State.SUPPRESSED)
    groups = rows.order_by().values_list("ticket", "person", "batch", "message_id")
    found = defaultdict(Window)
    for ticket, person, batch, message_id, at in groups.annotate(at=Max("next_try_at")):
        found[ticket, person].mails[batch] = at
        if batch.version == FOLD and not message_id and at > now:
            found[ticket, person].waiting_fold = batch
    return found
