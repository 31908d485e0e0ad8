from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

LONGEST = timedelta(hours=1)


class OutboxPause(models.Model):
    """Until when the whole outbox is paused, and why: one row, shared by all workers.

    Times come from the clock of the database (helpdesk.clock). tickets.mail.pause is the only writer.
    """

    class Reason(models.TextChoices):
        THROTTLED = "throttled", _("The provider asks for a pause.")
        REFUSED = "refused", _("The provider refuses the key, the account or the domain.")
        SILENT = "silent", _("The provider does not respond.")

    number = models.PositiveSmallIntegerField(primary_key=True, default=1)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, blank=True)
    unanswered = models.PositiveIntegerField(
        _("unanswered"), default=0, help_text=_("Attempts in a row without a response from the provider.")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("outbox pause")
        constraints = [
            models.CheckConstraint(condition=models.Q(number=1), name="outbox_pause_one_row"),
            models.CheckConstraint(
                condition=models.Q(reason__in=["", "throttled", "refused", "silent"]),
                name="outbox_pause_reason_known",
            ),
        ]

    def __str__(self):
        return self.get_reason_display()

    def is_on(self, now: datetime) -> bool:
        """Whether the outbox is paused.

        False if the end is further ahead than any pause: the clock was set back.
        """
        return self.until is not None and now < self.until <= now + 2 * LONGEST
