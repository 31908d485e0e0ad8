from datetime import time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class MailPreferences(models.Model):
    """Which mail a person wants, and when. Nobody without a row: all of it, at once.

    Mail about the account always comes at once.
    """

    class Wish(models.TextChoices):
        NOW = "now", _("At once")
        DIGEST = "digest", _("Once a day")
        OFF = "off", _("Never")

    # The kinds of mail: which are which says tickets.notifications.rules.
    KINDS = ("receipts", "answers", "notes", "statuses", "assignments", "edits", "new_tickets")

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="mail_preferences"
    )
    receipts = models.CharField(_("My ticket has arrived"), max_length=6, choices=Wish, default=Wish.NOW)
    answers = models.CharField(_("Somebody answers"), max_length=6, choices=Wish, default=Wish.NOW)
    statuses = models.CharField(_("The status changes"), max_length=6, choices=Wish, default=Wish.NOW)
    assignments = models.CharField(
        _("Somebody takes care of it"), max_length=6, choices=Wish, default=Wish.NOW
    )
    edits = models.CharField(_("Something else changes"), max_length=6, choices=Wish, default=Wish.NOW)
    notes = models.CharField(_("An internal note is written"), max_length=6, choices=Wish, default=Wish.NOW)
    new_tickets = models.CharField(_("A new ticket is filed"), max_length=6, choices=Wish, default=Wish.NOW)
    digest_at = models.TimeField(
        _("The daily mail comes at"), default=time(8), help_text=_("By the clock of your time zone.")
    )
    quiet_from = models.TimeField(_("Quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(
        _("Quiet until"), null=True, blank=True, help_text=_("Mail of these hours comes at their end.")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("mail preferences")
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
            raise ValidationError({field: _("Please fill in both times, or none.")})
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValidationError({"quiet_until": _("Please choose an end that differs from the beginning.")})


class MutedTicket(models.Model):
    """A ticket that a person wants no mail about."""

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
