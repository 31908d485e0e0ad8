from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.inbound_email import InboundEmail
from tickets.models.mailbox import Mailbox


class Arrival(models.Model):
    """An email in a mailbox. One email that came to two mailboxes has two arrivals."""

    mailbox = models.ForeignKey(
        Mailbox,
        verbose_name=_("mailbox"),
        on_delete=models.CASCADE,
        related_name="arrivals",
        db_index=False,  # the unique constraint starts with it
    )
    place = models.CharField(
        _("place"), max_length=255, help_text=_("UIDVALIDITY and UID, or the ID of Microsoft Graph.")
    )
    email = models.ForeignKey(
        InboundEmail, verbose_name=_("email"), on_delete=models.CASCADE, related_name="arrivals"
    )
    moved_at = models.DateTimeField(_("moved"), null=True, blank=True)

    class Meta:
        verbose_name = _("arrival")
        verbose_name_plural = _("arrivals")
        constraints = [models.UniqueConstraint(fields=["mailbox", "place"], name="arrival_once_per_place")]
        indexes = [
            # serves the emails that are still to be moved
            models.Index(fields=["mailbox", "id"], name="arrival_unmoved", condition=models.Q(moved_at=None)),
        ]

    def __str__(self):
        return f"{self.mailbox} {self.place}"
