"""Which phase may follow which, and what each change sets. Pure."""

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
UNDO_PERIOD = timedelta(seconds=10)  # for a change of details

# A ticket never becomes new again: "new" means that no one has worked on it.
FOLLOWERS: dict[str, frozenset[str]] = {
    Phase.NEW: frozenset(Phase),
    Phase.ACTIVE: frozenset({Phase.ACTIVE, Phase.WAITING, Phase.DONE}),
    Phase.WAITING: frozenset({Phase.ACTIVE, Phase.WAITING, Phase.DONE}),
    Phase.DONE: frozenset({Phase.ACTIVE, Phase.WAITING, Phase.DONE}),
}


def may_follow(old: str, new: str) -> bool:
    return new in FOLLOWERS[old]


def done_at(old: str | None, new: str, *, stored: datetime | None, now: datetime) -> datetime | None:
    """Returns when a ticket that went from `old` (None: a new ticket) to `new` was done;

    None while it is open.
    """
    if new != Phase.DONE:
        return None
    return stored if old == Phase.DONE and stored else now


def reopen_until(done: datetime) -> datetime:
    """Returns until when the requester may reopen a ticket that was done at `done`.

    Later replies file a new one.
    """
    return done + REOPEN_PERIOD


def takes_replies(done: datetime | None, *, now: datetime) -> bool:
    """Whether a reply is added to a ticket that was done at `done` (None: it is not done)."""
    return done is None or now <= reopen_until(done)
