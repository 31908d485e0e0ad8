from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.models.notification import Notification


class SuppressedAddress(models.Model):
    """An address that gets no email until it is released: delivery failed, or its owner reported spam."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("Emails to this address bounced.")
        COMPLAINED = "complained", _("An email was reported as spam.")

    address = models.EmailField(_("address"), unique=True)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    detail = models.TextField(_("server response"), blank=True)
    notification = models.ForeignKey(
        Notification,
        verbose_name=_("email"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
    )
    since = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        ordering = ["-since", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(address=Lower("address")), name="suppressed_lower_case"
            ),
        ]

    def __str__(self):
        return self.address

    @property
    def words(self) -> str:
        """Says why it gets no email, and since when."""
        words = {"address": self.address, "date": date_format(timezone.localtime(self.since), "DATE_FORMAT")}
        if self.reason == self.Reason.COMPLAINED:
            text = gettext(
                "An email to %(address)s was reported as spam on %(date)s. The address gets no more emails."
            )
        else:
            text = gettext("An email to %(address)s bounced on %(date)s. The address gets no more emails.")
        return text % words

    def save(self, *args, **kwargs):
        self.address = self.address.lower()
        super().save(*args, **kwargs)
