"""The owner of an open ticket: a person who works (accounts.models.UserQuerySet.staff), or no one."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.rules.workflow import Phase


class Because(models.TextChoices):
    """Why a ticket has its assignee, or has none (Ticket.assigned_because). Empty: it was assigned by hand.

    LEFT is followed by the primary key of the former staff member: "left:7".
    """

    TOOK = "took", _("self-assigned")
    REPLY = "reply", _("by replying")
    DEFAULT = "default", _("default assignee of the category")
    MOVED = "moved", _("moved to another category")
    LEFT = "left", _("the former assignee left")

    @classmethod
    def left(cls, person_id: int) -> str:
        return f"{cls.LEFT.value}:{person_id}"


NOT_STAFF = _("%(person)s does not work on tickets. Choose someone else.")


class NotStaff(ValueError):
    """Raised when an open ticket would be assigned to a person who does not work."""

    def __init__(self, person):
        super().__init__(NOT_STAFF % {"person": person})


def working(number: int | None):
    """Returns the person with this primary key if they work, else None. Queries the database."""
    return get_user_model().objects.staff().filter(pk=number).first() if number else None


class OwnedMixin:
    """The part of Ticket that sets `assignee` and `assigned_because`."""

    def assign(self, person, because: str = "") -> None:
        """Assigns the ticket to `person` (None: unassigns it).

        `because` is a code of Because; empty: by hand.

        Raises NotStaff for an open ticket and a person who does not work.
        """
        self.assignee, self._because = person, because
        self.save(update_fields=["assignee"])

    def _validate_owner(self, stored: int | None) -> None:
        is_new = self.assignee_id is not None and self.assignee_id != stored
        if is_new and not self.is_done and not working(self.assignee_id):
            refusal = ValidationError(NOT_STAFF, params={"person": self.assignee})
            raise ValidationError({"assignee": refusal})

    def _stamp_owner(self, before: dict[str, Any] | None, old_phase: str | None) -> None:
        """Sets the owner fields that follow from a save; see stamp().

        Keeps the invariant: an open ticket is unassigned, or its assignee works.
        """
        because = self.__dict__.pop("_because", None)
        stored = before["assignee_id"] if before else None
        is_given = self.assignee_id != stored
        if is_given and before:
            # An old reason does not apply to a new assignee.
            is_said = self.assigned_because != before["assigned_because"]
            self.assigned_because = because or (self.assigned_because if is_said else "")
        elif because:
            self.assigned_because = because
        if self.phase == Phase.DONE:
            return
        if is_given:
            if self.assignee_id is not None and not working(self.assignee_id):
                raise NotStaff(self.assignee)
        elif self.assignee_id is not None and old_phase == Phase.DONE and not working(self.assignee_id):
            self.assignee, self.assigned_because = None, Because.left(stored)
        if before and not is_given and self.category_id != before["category_id"]:
            self._follow_category()

    def _follow_category(self) -> None:
        """Reassigns after a change of category, unless a person chose the assignee or the assignee
        has acted.
        """
        owner = self.assignee_id
        if owner is not None and (
            self.assigned_because != Because.DEFAULT or self.activities.filter(actor=owner).exists()
        ):
            return
        person = working(self.category.default_assignee_id)
        if person:
            self.assignee, self.assigned_because = person, Because.DEFAULT
        elif owner is not None:
            self.assignee, self.assigned_because = None, Because.MOVED

    def _give_by_default(self) -> None:
        """Assigns an unassigned ticket to the default assignee of its category, if that person works."""
        person = working(self.category.default_assignee_id)
        if person:
            self.assignee, self.assigned_because = person, Because.DEFAULT
