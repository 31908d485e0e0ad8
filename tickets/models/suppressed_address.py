from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.models.notification import Notification


class SuppressedAddress(models.Model):
    """An address that mail does not reach, or whose owner called ours spam: it gets none until released."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("Mail to this address came back.")
        COMPLAINED = "complained", _("A mail was reported as spam.")

    address = models.EmailField(_("address"), unique=True)
    reason = models.CharField(_("why"), max_length=10, choices=Reason)
    detail = models.TextField(_("what the other side said"), blank=True)
    notification = models.ForeignKey(
        Notification,
        verbose_name=_("mail"),
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
        """Why it gets no mail, and since when."""
        words = {"address": self.address, "date": date_format(timezone.localtime(self.since), "DATE_FORMAT")}
        if self.reason == self.Reason.COMPLAINED:
            text = gettext("A mail to %(address)s was reported as spam on %(date)s: it gets no more mail.")
        else:
            text = gettext("Mail to %(address)s came back on %(date)s: it gets no more mail.")
        return text % words

    def save(self, *args, **kwargs):
        self.address = self.address.lower()
        super().save(*args, **kwargs)
