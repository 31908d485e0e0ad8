"""Sets a ticket back to what it was before a change (tickets.actions.undoing)."""

from datetime import datetime
from typing import Any

from tickets.models.ticket_owner import NotStaff, working


class RestoringMixin:
    """The part of Ticket that sets fields back, without what would follow from a new change."""

    RESTORED = ("done_at", "silent_since")  # the stamps that belong to status and waiting_for
    undo = ""  # see tickets.actions.undoing.undoable()

    def restore(self, values: dict[str, Any], stamps: dict[str, datetime | None]) -> None:
        """Saves `values` by attribute name, and `stamps`: no default assignee, no new time of solving.

        Raises ValidationError for an open merged ticket, and NotStaff for an open ticket of a person who does
        not work.
        """
        for name, value in values.items():
            setattr(self, name, value)
        self._validate_merged(self.phase)
        if values.keys() & {"status_id", "assignee_id"}:
            self._validate_working()
        self._restored = stamps
        self.save()

    def _validate_working(self) -> None:
        if self.assignee_id is not None and not self.is_done and not working(self.assignee_id):
            raise NotStaff(self.assignee)

    def _stamp_restored(self) -> bool:
        """Sets the stamps of restore(); see stamp(). Returns False for every other save."""
        stamps = self.__dict__.pop("_restored", None)
        for name, moment in (stamps or {}).items():
            setattr(self, name, moment)
        return stamps is not None
