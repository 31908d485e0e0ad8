from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

LONGEST = timedelta(hours=1)
SETTINGS = 0  # the number of the provider of the settings; that of a mailbox is its primary key


class OutboxPause(models.Model):
    """Until when the emails of a sender pause, and why: of a mailbox, or of the provider of the settings.

    All workers share the row. Times come from the clock of the database (helpdesk.clock). tickets.mail.pause
    is the only writer, except for a mailbox that is saved: it gets a new chance.
    """

    class Reason(models.TextChoices):
        THROTTLED = "throttled", _("The provider asks for a pause.")
        REFUSED = "refused", _("The provider refuses the key, the account or the domain.")
        SILENT = "silent", _("The provider does not respond.")
        BREAKER = "breaker", _("The provider rejected several emails in a row.")

    number = models.PositiveBigIntegerField(primary_key=True, default=SETTINGS)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, blank=True)
    unanswered = models.PositiveIntegerField(
        _("unanswered"), default=0, help_text=_("Attempts in a row without a response from the provider.")
    )
    # See tickets.mail.sending.breaker: [notification, address, is policy] of each email in the row, and the
    # notifications that the breaker returned to the outbox.
    rejected = models.JSONField(_("rejected in a row"), default=list, blank=True)
    returned = models.JSONField(_("returned to the outbox"), default=list, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("outbox pause")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reason__in=["", "throttled", "refused", "silent", "breaker"]),
                name="outbox_pause_reason_known",
            ),
        ]

    def __str__(self):
        return self.get_reason_display()

    def is_on(self, now: datetime) -> bool:
        """Whether the emails pause.

        False if the end is further ahead than any pause: the clock was set back.
        """
        return self.until is not None and now < self.until <= now + 2 * LONGEST
