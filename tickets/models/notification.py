import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.activity_log import ActivityLog
from tickets.models.ticket import Ticket
from tickets.querysets import NotificationQuerySet

# States of mail that will not arrive unless somebody sends it again.
UNDELIVERED = ("failed", "bounced", "complained", "suppressed")


# The kind of the mail that the helpdesk sends to itself; it has no person.
CANARY = "canary"
# The kind of the mail about all that somebody who left leaves to a person (tickets.ownership).
HANDED_OVER = "handed_over"

# The kind of the mail to a proven sender whose mail waits for review (tickets.inbound.handler).
HELD = "held"


class Notification(models.Model):
    """The outbox: one row for each person who is told of one activity, from queued to delivered.

    Rows of one act on one ticket leave as one mail, and so do those of a daily one. Mails about an account
    have no activity; the links in them are made when they are sent, so no secret lies in the table.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        BOUNCED = "bounced", _("bounced")
        COMPLAINED = "complained", _("reported as spam")
        FAILED = "failed", _("failed")
        SUPPRESSED = "suppressed", _("suppressed")

    kind = models.CharField(_("kind"), max_length=30, help_text=_("A verb, or a kind of account mail."))
    reason = models.CharField(_("why this person"), max_length=30, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.SET_NULL,
        related_name="notifications",
        null=True,
        db_index=False,  # here and below: an index of Meta begins with it
    )
    address = models.EmailField(_("address"))
    activity = models.ForeignKey(
        ActivityLog,
        verbose_name=_("activity"),
        on_delete=models.PROTECT,
        related_name="notifications",
        null=True,
        blank=True,
        db_index=False,
    )
    ticket = models.ForeignKey(
        Ticket,
        verbose_name=_("ticket"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="notifications",
        null=True,
        blank=True,
        db_index=False,
    )
    batch = models.UUIDField(_("act"), default=uuid.uuid4)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=120, blank=True)
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True)
    last_error = models.TextField(_("last error"), blank=True)
    created_at = models.DateTimeField(_("queued"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    is_digest = models.BooleanField(
        _("daily"), default=False, help_text=_("It goes with all others of the day to this person.")
    )

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("outbox")
        ordering = ["-pk"]
        permissions = [("resend_notification", "Can send a mail again")]
        constraints = [
            models.UniqueConstraint(fields=["activity", "person"], name="notification_once_per_activity"),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        "waiting",
                        "sending",
                        "sent",
                        "delivered",
                        "bounced",
                        "complained",
                        "failed",
                        "suppressed",
                    ]
                ),
                name="notification_state_known",
            ),
        ]
        indexes = [
            # the worker's question: what waits for longest
            models.Index(fields=["state", "next_try_at", "id"], name="notification_due"),
            # the mails of one act
            models.Index(fields=["ticket", "person", "id"], name="notification_by_ticket"),
            # the rows of one mail: what a worker holds, and what the provider tells of
            models.Index(fields=["message_id"], name="notification_by_message_id"),
            # the same where the provider tells of its own id only
            models.Index(fields=["provider_id"], name="notification_by_provider_id"),
            # the admin's list, newest first: by state, by person, by address
            models.Index(fields=["state", "-created_at", "-id"], name="notification_by_state"),
            models.Index(fields=["person", "-created_at", "-id"], name="notification_by_person"),
            models.Index(fields=["address", "-created_at", "-id"], name="notification_by_address"),
            # what was queued in a period, the newest first
            models.Index(fields=["created_at", "id"], name="notification_by_time"),
        ]

    def __str__(self):
        return f"{self.kind} → {self.address}"

    @property
    def may_be_sent_again(self) -> bool:
        return self.state in UNDELIVERED
