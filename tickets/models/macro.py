from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from accounts.validators import validate_single_line, validate_visible
from tickets.models.category import Category
from tickets.models.owned import OwnedModel
from tickets.models.status import Status
from tickets.models.ticket import Ticket


class Macro(OwnedModel):
    """One click: reply, set fields, go on to the next ticket. Empty fields stay as they are."""

    title = OneLineField(_("title"), max_length=80, validators=[validate_single_line, validate_visible])
    body = models.TextField(
        _("reply"),
        max_length=20_000,
        blank=True,
        validators=[MaxLengthValidator(20_000)],
        help_text=_("Sent to the requester. Empty: nothing is sent."),
    )
    status = models.ForeignKey(
        Status, verbose_name=_("status"), on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    priority = models.CharField(_("priority"), max_length=10, choices=Ticket.Priority, blank=True)
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    assigns_to_me = models.BooleanField(_("assign it to whoever clicks"), default=False)

    class Meta:
        verbose_name = _("macro")
        verbose_name_plural = _("macros")
        ordering = ["title", "pk"]
        permissions = [("share_macro", "Can share macros with all staff")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(priority__in=["", "low", "normal", "high", "urgent"]),
                name="macro_priority_known",
            ),
        ]

    def __str__(self):
        return self.title
