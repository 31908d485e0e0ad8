from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class BlockedSender(models.Model):
    """An address whose emails are recorded and ignored."""

    address = models.EmailField(_("address"), unique=True)
    blocked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("blocked by"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
    )
    since = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("blocked sender")
        verbose_name_plural = _("blocked senders")
        ordering = ["address"]
        constraints = [
            models.CheckConstraint(condition=models.Q(address=Lower("address")), name="blocked_lower_case"),
        ]

    def __str__(self):
        return self.address

    def clean(self):
        super().clean()
        self.address = self.address.lower()

    def save(self, *args, **kwargs):
        self.address = self.address.lower()
        super().save(*args, **kwargs)
