"""The phase of a ticket, what it waits for, and its transitions."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk import clock
from tickets.models.status import Status
from tickets.rules import workflow
from tickets.rules.calendar import add_working_days
from tickets.rules.refusals import reason_of
from tickets.rules.waiting import AS_IT_IS, Wait
from tickets.rules.workflow import Phase


class WorkflowMixin:
    """The part of Ticket that sets `status` and the fields that depend on it."""

    WAITING_FIELDS = ("waiting_for", "wakes_on", "reminded_at", "closes_at")
    STATUS_FIELDS = (*WAITING_FIELDS, "confirmed_at")  # reset when the status changes, see Ticket.stamp()

    @property
    def phase(self) -> str:
        return self.status.phase

    @property
    def wait(self) -> Wait:
        """Returns what it waits for, and until when."""
        return Wait(self.waiting_for, self.wakes_on)

    @wait.setter
    def wait(self, wait: Wait) -> None:
        self.waiting_for, self.wakes_on = wait.reason, wait.until

    @property
    def is_done(self) -> bool:
        return self.phase == Phase.DONE

    @property
    def reopen_until(self):
        """Returns until when the requester may reopen it; None for an open ticket."""
        return workflow.reopen_until(self.done_at) if self.is_done and self.done_at else None

    @property
    def takes_replies(self) -> bool:
        """Whether a reply is added to this ticket. A ticket that was done long ago gets a follow-up
        instead.
        """
        return workflow.takes_replies(self.done_at if self.is_done else None, now=timezone.now())

    @property
    def closes_on(self):
        """Returns the day on which it closes automatically if the requester does not reply;

        None: it does not.
        """
        is_answered = self.reminded_at is None or self.reminded_at < self.silent_since
        if is_answered or self.closes_at is None or self.category.close_after is None:
            return None
        return timezone.localdate(self.closes_at)

    def _phase_in(self, before) -> str | None:
        if before is None:
            return None
        is_same = before["status_id"] == self.status_id
        return self.phase if is_same else Status.objects.get(pk=before["status_id"]).phase

    def _stamp_waiting(self, old: str | None, before, now) -> None:
        """Clears the waiting fields when the ticket no longer waits."""
        if not self.status.is_waiting:
            self.waiting_for, self.silent_since = "", None
            self.wakes_on = self.reminded_at = self.closes_at = None
        elif old != Phase.WAITING or self.waiting_for != before["waiting_for"]:
            self.silent_since = now

    def refusal_of(self, status: Status) -> str:
        """Returns why `status` may not follow the present one; empty if it may."""
        try:
            self._validate_phase(self.phase, status.phase)
        except ValidationError as error:
            return reason_of(error)
        return ""

    # Transitions. They hold the rules; the save at their end is logged and notified.
    def close(self) -> None:
        self._move_to(Phase.DONE)

    def reopen(self) -> None:
        self._move_to(Phase.ACTIVE)

    def set_status(self, status: Status, wait: Wait = AS_IT_IS) -> None:
        """Changes the status. `wait` says what the ticket waits for if `status` is a waiting one.

        Raises ValidationError if the phase of `status` may not follow the present one.
        """
        with transaction.atomic():
            self._lock()
            self._validate_phase(self.phase, status.phase)
            self.status, self.wait = status, wait.after(self.wait)
            self.save(update_fields=["status"])

    def remind(self) -> None:
        """Reminds the requester that a reply is missing, and says when the ticket closes without one."""
        self.reminded_at, days = clock.now(), self.category.close_after
        self.closes_at = add_working_days(self.reminded_at, days) if days else None
        self.save(update_fields=["reminded_at", "closes_at"])

    def confirm(self) -> None:
        """Records that the requester confirmed the solution. Does nothing if repeated, or on an
        open ticket.
        """
        with transaction.atomic():
            self._lock()
            if self.is_done and self.confirmed_at is None:
                self.confirmed_at = timezone.now()
                self.save(update_fields=["confirmed_at"])

    def report_not_fixed(self) -> None:
        """Records that the problem is not fixed, and reopens. Does nothing on an open ticket."""
        with transaction.atomic():
            self._lock()
            if self.is_done:
                self.not_fixed_at = timezone.now()
                self.save(update_fields=["not_fixed_at"])

    def give_feedback(self, text: str) -> None:
        """Stores what the requester said could be better. Does nothing if repeated."""
        with transaction.atomic():
            self._lock()
            self.feedback = text
            self.save(update_fields=["feedback"])

    def _move_to(self, phase: Phase) -> None:
        with transaction.atomic():
            self._lock()
            if self.phase != phase:
                self.set_status(Status.objects.default_for(phase))

    def _lock(self) -> None:
        """Locks the row and reloads the checked fields, so that the check applies to the stored values."""
        locked = self.stored_values()
        if locked is None:
            raise self.DoesNotExist
        for name in ("status_id", "merged_into_id", *self.STATUS_FIELDS):
            setattr(self, name, locked[name])

    def _validate_phase(self, old: str, new: str) -> None:
        self._validate_merged(new)
        if not workflow.may_follow(old, new):
            raise ValidationError(
                {"status": _("Someone has already worked on this ticket, so it can't be new again.")}
            )

    def _validate_merged(self, new: str) -> None:
        if self.is_merged and new != Phase.DONE:
            words = {"number": self.merged_into_id}
            text = _("This ticket is merged into #%(number)d, so it stays solved. Undo the merge first.")
            raise ValidationError({"status": text % words})
