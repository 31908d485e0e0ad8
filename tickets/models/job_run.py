from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

LEASE = timedelta(minutes=5)
AGAIN_AFTER_FAILURE = timedelta(minutes=5)


class JobRun(models.Model):
    """When a timed job (tickets.jobs) runs next: one row for each job, shared by all workers.

    Times are by the clock of the database (helpdesk.clock). A job belongs to the worker that moves `due_at`
    away from the value that both have read.
    """

    name = models.CharField(_("job"), max_length=60, primary_key=True)
    due_at = models.DateTimeField(
        _("due"), help_text=_("While the job runs: when its worker is taken for dead.")
    )
    started_at = models.DateTimeField(_("last start"), null=True, blank=True)

    class Meta:
        verbose_name = _("timed job")
        verbose_name_plural = _("timed jobs")
        ordering = ["name"]

    def __str__(self):
        return self.name

    def is_due(self, now: datetime, *, interval: timedelta) -> bool:
        """Also where it is due later than anybody can have meant: the clock was set back, or the interval
        was longer once.
        """
        latest = now + 2 * max(interval, LEASE, AGAIN_AFTER_FAILURE)
        return not now < self.due_at <= latest

    def begin(self, now: datetime) -> bool:
        """Takes the job for LEASE. Returns False where another worker was faster."""
        return self._lease(now, started_at=now)

    def renew(self, now: datetime) -> bool:
        """Extends the lease of a job that still runs. Returns False where it is not ours any more."""
        return self._lease(now)

    def end(self, due_at: datetime) -> bool:
        """Gives the job back until `due_at`, unless the lease ran out and another worker runs it now."""
        # By the start, and only in the database: another thread may renew the lease at this moment.
        return bool(JobRun.objects.filter(pk=self.pk, started_at=self.started_at).update(due_at=due_at))

    def _lease(self, now: datetime, **values) -> bool:
        values["due_at"] = now + LEASE
        is_ours = bool(JobRun.objects.filter(pk=self.pk, due_at=self.due_at).update(**values))
        if is_ours:
            for name, value in values.items():
                setattr(self, name, value)
        return is_ours
