from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

LEASE = timedelta(minutes=5)
AGAIN_AFTER_FAILURE = timedelta(minutes=5)


class JobRun(models.Model):
    """When a timed job (tickets.jobs) runs next: one row for each job, shared by all workers.

    Times come from the clock of the database (helpdesk.clock). When two workers have read the same `due_at`,
    the one that updates it first gets the job.
    """

    name = models.CharField(_("job"), max_length=60, primary_key=True)
    due_at = models.DateTimeField(
        _("due"), help_text=_("While the job runs: when its worker counts as stopped.")
    )
    started_at = models.DateTimeField(_("last start"), null=True, blank=True)

    class Meta:
        verbose_name = _("timed job")
        verbose_name_plural = _("timed jobs")
        ordering = ["name"]

    def __str__(self):
        return self.name

    def is_due(self, now: datetime, *, interval: timedelta) -> bool:
        """Whether the job is due.

        Also true if `due_at` is further ahead than one interval: the clock was set back, or the interval was
        longer before.
        """
        latest = now + 2 * max(interval, LEASE, AGAIN_AFTER_FAILURE)
        return not now < self.due_at <= latest

    def begin(self, now: datetime) -> bool:
        """Takes the job for LEASE. Returns False if another worker was faster."""
        return self._lease(now, started_at=now)

    def renew(self, now: datetime) -> bool:
        """Extends the lease of a running job. Returns False if another worker has taken it over."""
        return self._lease(now)

    def end(self, due_at: datetime) -> bool:
        """Releases the job until `due_at`, unless the lease expired and another worker runs it now."""
        # Compares with the start time in the database, because another thread may renew the lease now.
        return bool(JobRun.objects.filter(pk=self.pk, started_at=self.started_at).update(due_at=due_at))

    def _lease(self, now: datetime, **values) -> bool:
        values["due_at"] = now + LEASE
        is_ours = bool(JobRun.objects.filter(pk=self.pk, due_at=self.due_at).update(**values))
        if is_ours:
            for name, value in values.items():
                setattr(self, name, value)
        return is_ours
