from datetime import timedelta

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from accounts.validators import validate_single_line, validate_visible
from tickets.models.category import Category
from tickets.models.owned import OwnedModel
from tickets.models.status import Status
from tickets.models.ticket import Ticket
from tickets.rules.calendar import today
from tickets.rules.waiting import Wait


class Macro(OwnedModel):
    """Applies a reply and new field values in one click. Empty fields stay unchanged."""

    title = OneLineField(_("title"), max_length=80, validators=[validate_single_line, validate_visible])
    body = models.TextField(
        _("reply"),
        max_length=20_000,
        blank=True,
        validators=[MaxLengthValidator(20_000)],
        help_text=_("Sent to the requester. Leave blank to send nothing."),
    )
    status = models.ForeignKey(
        Status, verbose_name=_("status"), on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    waiting_for = models.CharField(
        _("waiting for"),
        max_length=10,
        choices=Ticket.WaitingFor,
        blank=True,
        default="",
        db_default="",
        help_text=_("For a waiting status."),
    )
    wakes_after = models.PositiveSmallIntegerField(
        _("snooze for days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("It reopens automatically after this many days."),
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
    assigns_to_me = models.BooleanField(_("assign to me"), default=False)

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
            models.CheckConstraint(
                condition=models.Q(waiting_for__in=["", "requester", "supplier", "date"]),
                name="macro_waiting_for_known",
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def is_waiting(self) -> bool:
        """Whether the status of the macro is a waiting one."""
        return self.status is not None and self.status.is_waiting

    @property
    def wait(self) -> Wait:
        """Returns the reason and the day that a ticket waits for if the macro is applied today."""
        until = today() + timedelta(days=self.wakes_after) if self.wakes_after else None
        return Wait(self.waiting_for, until)
