from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


def morning() -> time:
    """The default time. A function, because Django warns of a fixed time close to now (fields.W161)."""
    return time(8)


class MailPreferences(models.Model):
    """Which emails a person wants, and when. A person without a row gets all of them immediately.

    Emails about the account are always sent immediately.
    """

    class Wish(models.TextChoices):
        NOW = "now", _("Immediately")
        DIGEST = "digest", _("Daily digest")
        OFF = "off", _("Never")

    # The kinds of email. tickets.rules.events assigns each event to one of them.
    KINDS = ("receipts", "answers", "notes", "statuses", "assignments", "edits", "new_tickets")

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="mail_preferences"
    )
    receipts = models.CharField(_("My ticket was received"), max_length=6, choices=Wish, default=Wish.NOW)
    answers = models.CharField(_("Someone replies"), max_length=6, choices=Wish, default=Wish.NOW)
    statuses = models.CharField(_("Status changes"), max_length=6, choices=Wish, default=Wish.NOW)
    assignments = models.CharField(_("Ticket is assigned"), max_length=6, choices=Wish, default=Wish.NOW)
    edits = models.CharField(_("Other details change"), max_length=6, choices=Wish, default=Wish.NOW)
    notes = models.CharField(_("Internal note is added"), max_length=6, choices=Wish, default=Wish.NOW)
    new_tickets = models.CharField(_("New ticket is submitted"), max_length=6, choices=Wish, default=Wish.NOW)
    weekly_report = models.BooleanField(
        _("Weekly report"),
        default=False,
        help_text=_("Every Monday at the time of the daily digest: created, solved and open tickets."),
    )
    weekly_report_for = models.DateField(
        _("last weekly report"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("The Monday of the last report that was queued or, if there was none, passed over."),
    )
    digest_at = models.TimeField(
        _("Send daily digest at"), default=morning, help_text=_("In your time zone.")
    )
    quiet_from = models.TimeField(_("Do not disturb from"), null=True, blank=True)
    quiet_until = models.TimeField(
        _("Do not disturb to"), null=True, blank=True, help_text=_("Emails are held until quiet hours end.")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("email preferences")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="mail_preferences_quiet_from_and_until",
            ),
        ]

    def __str__(self):
        return str(self.person)

    def clean(self):
        super().clean()
        if (self.quiet_from is None) != (self.quiet_until is None):
            field = "quiet_from" if self.quiet_from is None else "quiet_until"
            raise ValidationError({field: _("Fill in both times, or neither.")})
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValidationError({"quiet_until": _("Choose an end that differs from the start.")})


class MutedTicket(models.Model):
    """A ticket whose email notifications a person has muted."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="muted")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("muted ticket")
        verbose_name_plural = _("muted tickets")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "person"], name="muted_once_per_ticket"),
        ]

    def __str__(self):
        return f"#{self.ticket_id} {self.person}"
