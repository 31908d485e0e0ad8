"""Connects a ticket to the table of rights (rules.rights)."""

from django.utils import timezone

from tickets.rules import rights
from tickets.rules.rights import Right, Stage, Standing


class RightsMixin:
    """The part of Ticket that answers what a person may do. visible_to() decides who may see it at all."""

    def allows(self, right: Right, user) -> bool:
        """Whether `user` has `right` on it now.

        Treats a watcher as a stranger, because finding watchers needs a query.
        """
        return rights.allows(
            right,
            self._standing(user),
            stage=self._stage,
            has_permission=user.has_perm,
            has_merged=lambda: self.has_merged and self.merged.exists(),
        )

    def may_ever(self, right: Right, user) -> bool:
        """Whether `user` has `right` on it now, or would have it at another stage. Ignores permissions."""
        return rights.is_ever_given(right, self._standing(user))

    def _standing(self, user) -> Standing:
        return rights.standing(is_staff=user.is_staff, is_requester=self.requester_id == user.pk)

    def _stage(self) -> Stage:
        now = timezone.now()
        return rights.stage(self.phase, is_merged=self.is_merged, done_at=self.done_at, now=now)

    def may_be_edited_by(self, user) -> bool:
        return self.allows(Right.EDIT, user)

    def may_be_deleted_by(self, user) -> bool:
        return self.allows(Right.DELETE, user)

    def may_be_shared_by(self, user) -> bool:
        return self.allows(Right.SHARE, user)

    def may_be_closed_by(self, user) -> bool:
        return self.allows(Right.CLOSE, user)

    def may_be_reopened_by(self, user) -> bool:
        return self.allows(Right.REOPEN, user)

    def may_be_worked_on_by(self, user) -> bool:
        return self.allows(Right.WORK, user)
