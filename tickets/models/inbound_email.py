import hashlib

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.comment import Comment
from tickets.models.mailbox import Mailbox
from tickets.models.ticket import Ticket


class InboundEmailQuerySet(models.QuerySet):
    def without_raw(self):
        """Defers the raw message in lists: an email may have 25 MB."""
        return self.defer("raw")

    def filed(self):
        return self.filter(state=InboundEmail.State.FILED)

    def waiting_for_confirmation(self):
        """Returns the held replies from another address than that of the person who was emailed."""
        held = self.without_raw().filter(state=InboundEmail.State.QUARANTINED)
        return held.filter(reason=InboundEmail.Reason.WRONG_SENDER)

    def oldest_first(self):
        return self.order_by("pk")


class InboundEmail(models.Model):
    """An incoming email, raw, and its outcome. It is stored before any code parses it."""

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        FILED = "filed", _("added to ticket")
        IGNORED = "ignored", _("ignored")
        QUARANTINED = "quarantined", _("quarantined")
        FAILED = "failed", _("failed")

    class Route(models.TextChoices):
        MAILGUN = "mailgun", _("Mailgun")
        COMMAND = "command", _("receive_mail")
        IMAP = "imap", _("IMAP")
        GRAPH = "graph", _("Microsoft Graph")

    class Reason(models.TextChoices):
        """Why an email is ignored, quarantined or failed, or was filed without an account."""

        OWN_ADDRESS = "own_address", _("It was sent from an address of the helpdesk.")
        BOUNCE = "bounce", _("It reports that an email could not be delivered.")
        AUTOMATIC = "automatic", _("It is an automatic reply.")
        LIST = "list", _("It was sent to a mailing list.")
        CANARY = "canary", _("It is a test email of the helpdesk.")
        BLOCKED = "blocked", _("The sender is blocked.")
        DISCARDED = "discarded", _("It was discarded by staff.")
        NOT_AUTHENTIC = "not_authentic", _("Sender could not be verified.")
        WRONG_SENDER = "wrong_sender", _("The reply is not from the person who was emailed.")
        BAD_SIGNATURE = "bad_signature", _("The ticket number in the address is not signed.")
        UNKNOWN_SENDER = "unknown_sender", _("No one here has the sender's address.")
        FIRST_CONTACT = "first_contact", _("The sender was new here and got an account.")
        SENDER_LEFT = "sender_left", _("The sender's account is deactivated.")
        ASKED = "asked", _("The sender is new here: let them in?")
        AMBIGUOUS = "ambiguous", _("It could belong to several tickets.")
        ONLY_COPY = "only_copy", _("The helpdesk was only in copy.")
        REPEATED = "repeated", _("Another email has the same Message-ID.")
        TOO_MANY = (
            "too_many",
            _("Too many emails arrived within an hour. Two systems may be replying to each other."),
        )
        TOO_COMPLEX = "too_complex", _("It is too large or too deeply nested to open.")
        ERROR = "error", _("The helpdesk could not read it.")
        INTERRUPTED = "interrupted", _("The process stopped each time it read this email.")

    # Detects duplicates: the Message-ID, or a hash of the bytes if there is none.
    identity = models.CharField(_("Message-ID"), max_length=255, unique=True)
    # The Message-ID of the email that this one answers. That email may arrive later.
    answers = models.CharField(_("answers"), max_length=255, blank=True, editable=False)
    provider_id = models.CharField(_("provider's id"), max_length=200, blank=True)
    raw = models.BinaryField(_("raw message"))
    size = models.PositiveIntegerField(_("size in bytes"))
    envelope_sender = models.CharField(_("envelope sender"), max_length=320, blank=True)
    recipient = models.CharField(_("recipient"), max_length=320, blank=True)
    sender = models.CharField(_("sender"), max_length=320, blank=True)
    subject = models.CharField(_("subject"), max_length=150, blank=True)
    route = models.CharField(_("source"), max_length=10, choices=Route)
    mailbox = models.ForeignKey(
        Mailbox,
        verbose_name=_("mailbox"),
        on_delete=models.SET_NULL,
        related_name="inbound_emails",
        null=True,
        blank=True,
        db_index=False,
    )
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.RECEIVED)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, blank=True)
    detail = models.TextField(_("detail"), blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Until this time a worker handles it or it waits for another attempt. None: it was never tried.
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
        db_index=False,  # an index in Meta starts with this field
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
        verbose_name = _("incoming email")
        verbose_name_plural = _("incoming email")
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
            # serves the admin's filter
            models.Index(fields=["state", "-id"], name="inbound_by_state"),
            # serves the limit of emails from an address within an hour
            models.Index(fields=["sender", "received_at"], name="inbound_by_sender"),
            # serve the emails of a ticket, and of a period
            models.Index(fields=["ticket", "id"], name="inbound_by_ticket"),
            models.Index(fields=["received_at"], name="inbound_by_time"),
            # serves the lookup of emails that answer an email which arrives later
            models.Index(fields=["answers"], name="inbound_by_answered", condition=~models.Q(answers="")),
        ]

    def __str__(self):
        return f"{self.sender or _('unknown sender')}: {self.subject or _('no subject')}"

    @staticmethod
    def identity_of(message_id: str, raw: bytes) -> str:
        """Returns a value that is equal for two copies of one email."""
        if message_id and len(message_id) <= 255:
            return message_id
        return f"sha256:{hashlib.sha256(message_id.encode() or raw).hexdigest()}"
