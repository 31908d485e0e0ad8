import hashlib

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.comment import Comment
from tickets.models.ticket import Ticket


class InboundEmailQuerySet(models.QuerySet):
    def without_raw(self):
        """For lists: a mail may be 25 MB."""
        return self.defer("raw")


class InboundEmail(models.Model):
    """A mail that came in, raw, with what became of it. Each is stored before anything looks into it."""

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        FILED = "filed", _("filed")
        IGNORED = "ignored", _("ignored")
        QUARANTINED = "quarantined", _("quarantined")
        FAILED = "failed", _("failed")

    class Route(models.TextChoices):
        MAILGUN = "mailgun", _("Mailgun")
        COMMAND = "command", _("receive_mail")

    class Reason(models.TextChoices):
        """Why a mail is ignored, quarantined or failed."""

        OWN_ADDRESS = "own_address", _("It comes from an address of the helpdesk itself.")
        BOUNCE = "bounce", _("It tells that a mail could not be delivered.")
        AUTOMATIC = "automatic", _("A machine answered.")
        LIST = "list", _("It went to a mailing list.")
        CANARY = "canary", _("The helpdesk tested its own mail.")
        BLOCKED = "blocked", _("The sender is blocked.")
        DISCARDED = "discarded", _("Staff have discarded it.")
        NOT_AUTHENTIC = "not_authentic", _("Sender could not be verified.")
        WRONG_SENDER = "wrong_sender", _("Somebody else answers than the person who was asked.")
        BAD_SIGNATURE = "bad_signature", _("The ticket's number in the address is not signed.")
        UNKNOWN_SENDER = "unknown_sender", _("Nobody here has the sender's address.")
        REPEATED = "repeated", _("Another mail came with the same Message-ID.")
        TOO_MANY = "too_many", _("Too many mails came within an hour. Two machines may answer each other.")
        TOO_COMPLEX = "too_complex", _("It is too large or too deeply nested to be opened.")
        ERROR = "error", _("The helpdesk failed to read it.")
        INTERRUPTED = "interrupted", _("The process ended each time while it read this email.")

    # By what came in twice: the Message-ID, or where it has none, its bytes.
    identity = models.CharField(_("Message-ID"), max_length=255, unique=True)
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True)
    raw = models.BinaryField(_("raw message"))
    size = models.PositiveIntegerField(_("size in bytes"))
    envelope_sender = models.CharField(_("envelope sender"), max_length=320, blank=True)
    recipient = models.CharField(_("recipient"), max_length=320, blank=True)
    sender = models.CharField(_("sender"), max_length=320, blank=True)
    subject = models.CharField(_("subject"), max_length=150, blank=True)
    route = models.CharField(_("came by"), max_length=10, choices=Route)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.RECEIVED)
    reason = models.CharField(_("why"), max_length=20, choices=Reason, blank=True)
    detail = models.TextField(_("detail"), blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Until then somebody is at work on it, or it waits for another attempt. None: it was never tried.
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
    )
    ticket = models.ForeignKey(
        Ticket,
        verbose_name=_("ticket"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="inbound_emails",
        null=True,
        blank=True,
        db_index=False,  # an index of Meta begins with it
    )
    comment = models.ForeignKey(
        Comment,
        verbose_name=_("message"),
        on_delete=models.SET_NULL,
        related_name="inbound_emails",
        null=True,
        blank=True,
    )
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("decided by"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
    )
    handled_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = InboundEmailQuerySet.as_manager()

    class Meta:
        verbose_name = _("incoming mail")
        verbose_name_plural = _("incoming mail")
        ordering = ["-pk"]
        permissions = [("decide_inboundemail", "Can decide what becomes of a mail")]
        constraints = [
            models.UniqueConstraint(
                fields=["provider_id"],
                name="inbound_once_per_provider_id",
                condition=~models.Q(provider_id=""),
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["received", "filed", "ignored", "quarantined", "failed"]),
                name="inbound_state_known",
            ),
        ]
        indexes = [
            # the admin's filter
            models.Index(fields=["state", "-id"], name="inbound_by_state"),
            # how many came from an address within an hour
            models.Index(fields=["sender", "received_at"], name="inbound_by_sender"),
            # what came in on a ticket, and in a period
            models.Index(fields=["ticket", "id"], name="inbound_by_ticket"),
            models.Index(fields=["received_at"], name="inbound_by_time"),
        ]

    def __str__(self):
        return f"{self.sender or _('unknown sender')}: {self.subject or _('no subject')}"

    @staticmethod
    def identity_of(message_id: str, raw: bytes) -> str:
        """What is the same for two copies of one mail."""
        if message_id and len(message_id) <= 255:
            return message_id
        return f"sha256:{hashlib.sha256(message_id.encode() or raw).hexdigest()}"
