from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.mailbox import Mailbox


class MailProbe(models.Model):
    """A test of a mailbox: an email that leaves and comes back. A worker runs it hop by hop."""

    mailbox = models.ForeignKey(
        Mailbox, verbose_name=_("mailbox"), on_delete=models.CASCADE, related_name="probes"
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("started by"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
    )
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # A list of {"name", "state", "ms", "words"}, in the order of the hops.
    hops = models.JSONField(_("hops"), default=list)

    class Meta:
        verbose_name = _("mailbox test")
        verbose_name_plural = _("mailbox tests")
        ordering = ["-pk"]

    def __str__(self):
        return f"{self.mailbox} {self.started_at:%Y-%m-%d %H:%M}"
