import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.activity_log import ActivityLog
from tickets.models.inbound_email import InboundEmail
from tickets.models.mailbox import Mailbox
from tickets.models.ticket import Ticket

# The states of emails that will not arrive unless staff send them again.
UNDELIVERED = ("failed", "bounced", "complained", "suppressed")


# The kind of the email that the helpdesk sends to itself. It has no person.
CANARY = "canary"
# The kind of the email about all tickets handed over to a person (tickets.actions.handing_over).
HANDED_OVER = "handed_over"

# The kind of the email to people who want a report each Monday (tickets.notifications.weekly_report).
WEEKLY_REPORT = "weekly_report"

# The kind of the email to a verified sender whose email waits for review (tickets.mail.receiving.handler).
HELD = "held"
# The kind of the email to a verified sender without an account whose email waits for review.
RECEIVED_WAITS = "received_waits"
# The kind of the email that asks a person about a reply from another address.
IS_THIS_YOU = "is_this_you"
# The kinds of emails to an address of nobody.
WITHOUT_PERSON = frozenset({CANARY, RECEIVED_WAITS})
# The kinds that leave with an empty envelope sender, so that no server answers them (RFC 3834, 3.3).
WITHOUT_RETURN = frozenset({RECEIVED_WAITS})


def protect_waiting(collector, field, rows, using) -> None:
    """Keeps a mailbox while emails wait for it; emails that have left lose their mailbox with it."""
    if waiting := list(rows.filter(state__in=("waiting", "sending"))):
        raise models.ProtectedError("Emails of this mailbox wait in the outbox.", waiting)
    models.SET_NULL(collector, field, rows, using)


protect_waiting.lazy_sub_objs = True  # like SET_NULL: the rows are not loaded


class NotificationQuerySet(models.QuerySet):
    def due(self, now):
        """Returns the rows that a worker may claim: those that are due, and those whose worker died."""
        is_waiting = models.Q(state="waiting", next_try_at__lte=now)
        return self.filter(is_waiting | models.Q(state="sending", leased_until__lt=now))

    def undelivered(self):
        """Returns the emails that will not arrive unless staff act."""
        return self.filter(state__in=("failed", "bounced", "complained"))


class Notification(models.Model):
    """A row of the outbox: one for each person who is notified of one activity, from queued to delivered.

    Rows of one act on one ticket are sent as one email, and so are the rows of a daily digest. Emails about
    an account have no activity; their links are made when they are sent, so that the table holds no secret.
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

    kind = models.CharField(_("kind"), max_length=30, help_text=_("A verb, or a kind of account email."))
    reason = models.CharField(_("why this person"), max_length=30, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.SET_NULL,
        related_name="notifications",
        null=True,
        db_index=False,  # here and below: an index in Meta starts with this field
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
    mailbox = models.ForeignKey(
        Mailbox,
        verbose_name=_("mailbox"),
        on_delete=protect_waiting,
        related_name="notifications",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("Blank: the default mailbox, or the provider of the settings."),
    )
    inbound_email = models.ForeignKey(
        InboundEmail,
        verbose_name=_("incoming email"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,  # an index in Meta has those with a value
        help_text=_("The email that this one is about."),
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
        _("daily digest"), default=False, help_text=_("Sent with the person's daily digest.")
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
            # serves the worker: what has waited longest
            models.Index(fields=["state", "next_try_at", "id"], name="notification_due"),
            # serves the emails of one act
            models.Index(fields=["ticket", "person", "id"], name="notification_by_ticket"),
            # serves the rows of one email: those a worker holds, and those of a provider's event
            models.Index(fields=["message_id"], name="notification_by_message_id"),
            # serves events of the provider that have only its own id
            models.Index(fields=["provider_id"], name="notification_by_provider_id"),
            # serve the admin's list, newest first: by state, by person, by address
            models.Index(fields=["state", "-created_at", "-id"], name="notification_by_state"),
            models.Index(fields=["person", "-created_at", "-id"], name="notification_by_person"),
            models.Index(fields=["address", "-created_at", "-id"], name="notification_by_address"),
            # serves the deletion of incoming emails
            models.Index(
                fields=["inbound_email"],
                name="notification_by_inbound",
                condition=~models.Q(inbound_email=None),
            ),
            # serves the emails of a period, newest first
            models.Index(fields=["created_at", "id"], name="notification_by_time"),
        ]

    def __str__(self):
        return f"{self.kind} → {self.address}"

    @property
    def may_be_sent_again(self) -> bool:
        return self.state in UNDELIVERED
