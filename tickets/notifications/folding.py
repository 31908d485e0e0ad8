"""Many mails to one person on one ticket in a short time: what is too much leaves as one mail.

The rows of such a mail share a batch of its own, so a worker sends them as it sends those of one act.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max

from tickets.models import ActivityLog, Notification

WINDOW = timedelta(minutes=10)
MOST = 9  # mails in WINDOW; the next one is the fold
FOLD = 5  # the version of a fold's UUID; that of an act is random, 4


@dataclass
class Window:
    """The mails to one person on one ticket that leave or have left within WINDOW: {batch: when}."""

    mails: dict[uuid.UUID, datetime] = field(default_factory=dict)
    waiting_fold: uuid.UUID | None = None

    def place(self, batch: uuid.UUID) -> tuple[uuid.UUID, datetime | None]:
        """The batch in which what belongs to the act `batch` leaves, and not before when."""
        if batch in self.mails or len(self.mails) < MOST:
            return batch, None
        if self.waiting_fold:
            return self.waiting_fold, self.mails[self.waiting_fold]
        return uuid.uuid5(batch, "fold"), min(self.mails.values()) + WINDOW


def windows(activity: ActivityLog, people: Collection, *, now: datetime) -> dict[int, Window]:
    """{primary key of a person: Window}, in one query for all."""
    rows = Notification.objects.filter(
        ticket=activity.ticket_id, person__in=people, is_digest=False, next_try_at__gt=now - WINDOW
    ).exclude(state=Notification.State.SUPPRESSED)
    mails = rows.order_by().values_list("person", "batch", "message_id").annotate(at=Max("next_try_at"))
    found = defaultdict(Window)
    for person, batch, message_id, at in mails:
        found[person].mails[batch] = at
        if batch.version == FOLD and not message_id and at > now:
            found[person].waiting_fold = batch
    return found
