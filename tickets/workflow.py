"""Which phase may follow which, and what each change sets. Pure: no model, no database."""

from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Phase(TextChoices):
    NEW = "new", _("new")
    ACTIVE = "active", _("active")
    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")


OPEN = (Phase.NEW, Phase.ACTIVE, Phase.WAITING)
URGENCY = ("urgent", "high", "normal", "low")
REOPEN_PERIOD = timedelta(days=14)
TAKE_BACK_PERIOD = timedelta(seconds=20)

# A ticket that somebody has worked on is not new again: "new" is how the queue knows what nobody has seen.
FOLLOWERS: dict[str, frozenset[str]] = {
    Phase.NEW: frozenset(Phase),
    Phase.ACTIVE: frozenset({Phase.ACTIVE, Phase.WAITING, Phase.DONE}),
    Phase.WAITING: frozenset({Phase.ACTIVE, Phase.WAITING, Phase.DONE}),
    Phase.DONE: frozenset({Phase.ACTIVE, Phase.WAITING, Phase.DONE}),
}


def may_follow(old: str, new: str) -> bool:
    return new in FOLLOWERS[old]


def done_at(old: str | None, new: str, *, stored: datetime | None, now: datetime) -> datetime | None:
    """When a ticket that went from `old` (None: a new ticket) to `new` was done; None while it is open."""
    if new != Phase.DONE:
        return None
    return stored if old == Phase.DONE and stored else now


def reopen_until(done: datetime) -> datetime:
    """Until when the requester may reopen what was done at `done`; later it is a new ticket."""
    return done + REOPEN_PERIOD
