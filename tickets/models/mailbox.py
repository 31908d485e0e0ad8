import json

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from helpdesk import encryption
from tickets.models.category import Category
from tickets.models.outbox_pause import OutboxPause

# Where the emails of a mailbox lie.
PLACE = ("fetches_by", "address", "imap_host", "user", "folder")
NO_FOLDER = -1  # a UIDVALIDITY that no folder has
PORTS = (MinValueValidator(1), MaxValueValidator(65535))


class MailboxQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def sending(self):
        return self.active().exclude(sends_by=Mailbox.Sending.NO)

    def fetched(self):
        """Returns the mailboxes that a worker fetches."""
        return self.active().filter(fetches_by__in=(Mailbox.Fetching.IMAP, Mailbox.Fetching.GRAPH))

    def default(self):
        """Returns the mailbox for emails that belong to no other one; None if there is none."""
        return self.sending().order_by("-is_default", "pk").first()


class Mailbox(models.Model):
    """An address of the helpdesk, and how its email leaves and comes in.

    Without any mailbox, the provider of the settings (Mailgun) sends and receives. Workers write only
    MailboxState.
    """

    class Source(models.TextChoices):
        ADMIN = "admin", _("the admin")
        ENVIRONMENT = "environment", _("the environment")

    class Sending(models.TextChoices):
        NO = "no", _("not at all")
        ESP = "esp", _("the email service of the settings")
        SMTP = "smtp", _("SMTP")
        GRAPH = "graph", _("Microsoft Graph")

    class Fetching(models.TextChoices):
        NO = "no", _("not at all")
        WEBHOOK = "webhook", _("the webhook of Mailgun")
        PIPE = "pipe", _("the command receive_mail")
        IMAP = "imap", _("IMAP")
        GRAPH = "graph", _("Microsoft Graph")

    class Auth(models.TextChoices):
        PASSWORD = "password", _("password")  # noqa: S105
        MICROSOFT_APP = "microsoft_app", _("Microsoft 365, as an application")
        MICROSOFT_PERSON = "microsoft_person", _("Microsoft 365, as the person who connects it")
        GOOGLE_APP = "google_app", _("Google, as the person who connects it")
        GOOGLE_SERVICE = "google_service", _("Google, as a service account")

    class Security(models.TextChoices):
        TLS = "tls", _("TLS")
        STARTTLS = "starttls", _("STARTTLS")
        NONE = "none", _("none (only for a server on this machine)")

    class After(models.TextChoices):
        MOVE = "move", _("Move it to a folder")
        MARK = "mark", _("Mark it as read")
        LEAVE = "leave", _("Leave it as it is")

    class NewTickets(models.TextChoices):
        TO = "to", _("The mailbox is in To")
        TO_OR_CC = "to_or_cc", _("The mailbox is in To or Cc")

    class Proof(models.TextChoices):
        """What verifies the sender of an email that was fetched here."""

        NONE = "none", _("nothing")
        RESULTS = "results", _("Authentication-Results of the mail server")
        EXCHANGE = "exchange", _("headers of Microsoft 365")
        MAILGUN = "mailgun", _("headers of Mailgun")

    class FirstContact(models.TextChoices):
        COMPANY = "company", _("as the list of known domains says")
        OFF = "off", _("Only people with an account may write here")

    name = OneLineField(_("name"), max_length=80)
    address = models.EmailField(_("address"), unique=True)
    sender_name = OneLineField(_("sender name"), max_length=80, blank=True)
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        on_delete=models.PROTECT,
        related_name="mailboxes",
        null=True,
        blank=True,
        help_text=_("The category of tickets that arrive here."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Sends the emails that belong to no other mailbox.")
    )
    source = models.CharField(
        _("set up in"), max_length=12, choices=Source, default=Source.ADMIN, editable=False
    )
    sends_by = models.CharField(_("sends by"), max_length=8, choices=Sending, default=Sending.SMTP)
    fetches_by = models.CharField(_("receives by"), max_length=8, choices=Fetching, default=Fetching.IMAP)
    auth = models.CharField(_("logs in with"), max_length=16, choices=Auth, default=Auth.PASSWORD)
    smtp_host = OneLineField(_("SMTP server"), max_length=253, blank=True)
    smtp_port = models.PositiveIntegerField(_("SMTP port"), default=465, validators=PORTS)
    smtp_security = models.CharField(_("SMTP security"), max_length=8, choices=Security, default=Security.TLS)
    imap_host = OneLineField(_("IMAP server"), max_length=253, blank=True)
    imap_port = models.PositiveIntegerField(_("IMAP port"), default=993, validators=PORTS)
    imap_security = models.CharField(_("IMAP security"), max_length=8, choices=Security, default=Security.TLS)
    user = OneLineField(_("user name"), max_length=254, blank=True)
    folder = OneLineField(_("folder"), max_length=200, default="INBOX")
    after = models.CharField(_("after an email is read"), max_length=5, choices=After, default=After.MOVE)
    filed_folder = OneLineField(_("folder for read email"), max_length=200, default="Helpdesk")
    new_tickets_when = models.CharField(
        _("new tickets when"), max_length=8, choices=NewTickets, default=NewTickets.TO_OR_CC
    )
    plus = models.BooleanField(
        _("plus addresses"),
        default=True,
        help_text=_("The server delivers name+anything@ to name@. Replies find their ticket by it."),
    )
    proof = models.CharField(_("senders are verified by"), max_length=8, choices=Proof, default=Proof.NONE)
    authserv_id = OneLineField(
        _("authserv-id"),
        max_length=253,
        blank=True,
        help_text=_("The name at the start of your server's Authentication-Results (RFC 8601)."),
    )
    tenant = OneLineField(_("tenant ID"), max_length=100, blank=True)
    client_id = OneLineField(_("client ID"), max_length=200, blank=True)
    secret_expires_on = models.DateField(_("secret ends on"), null=True, blank=True)
    first_contact = models.CharField(
        _("first contact"), max_length=8, choices=FirstContact, default=FirstContact.COMPANY
    )
    secret = models.TextField(_("secret"), blank=True, editable=False)
    secret_changed_at = models.DateTimeField(_("secret changed"), null=True, blank=True, editable=False)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")
        ordering = ["-is_default", "name", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(address=Lower("address")), name="mailbox_lower_case"),
            models.UniqueConstraint(
                fields=["is_default"],
                condition=models.Q(is_default=True),
                name="mailbox_one_default",
            ),
        ]

    def __str__(self):
        return self.address

    def clean(self):
        super().clean()
        self.address = self.address.lower()

    def validate_constraints(self, exclude=None):
        """Another default mailbox is no error, because save() replaces it."""
        super().validate_constraints({*(exclude or ()), "is_default"})

    @transaction.atomic
    def save(self, *args, **kwargs):
        """A corrected mailbox is due at once. A new default mailbox replaces the one before."""
        self.address = self.address.lower()
        if self.is_default:
            Mailbox.objects.filter(is_default=True).exclude(pk=self.pk).update(is_default=False)
        is_elsewhere = self._is_elsewhere()
        super().save(*args, **kwargs)
        self.forget_failures()
        if is_elsewhere:
            self._forget_position()

    def forget_failures(self, *, keeps_token: bool = False) -> None:
        """Whoever corrects a mailbox waits for no pause, no token and no turn: it is due."""
        OutboxPause.objects.filter(number=self.pk).delete()
        states = MailboxState.objects.filter(mailbox=self)
        if not keeps_token:
            states.update(access_token="", access_expires_at=None)
        states.update(next_fetch_at=None)
        states.exclude(send_state=MailboxState.Health.OK).update(
            send_state=MailboxState.Health.NEW, send_since=None, send_error="", send_failures=0
        )

    def _is_elsewhere(self) -> bool:
        """Whether its emails lie somewhere else than before."""
        place = {name: getattr(self, name) for name in PLACE}
        return not Mailbox.objects.filter(pk=self.pk, **place).exists()

    def _forget_position(self) -> None:
        """In another folder it means nothing. Emails from before the mailbox was connected stay unread."""
        states = MailboxState.objects.filter(mailbox=self, uid_validity__isnull=False)
        states.update(uid_validity=NO_FOLDER, delta_link="")

    @property
    def receives(self) -> bool:
        return self.fetches_by != Mailbox.Fetching.NO

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets in clear: password, client_secret, private_key or refresh_token. Raises LostKey."""
        if self.source == self.Source.ENVIRONMENT:
            described = settings.ENVIRONMENT_MAILBOX or {}
            return described["secrets"] if described.get("address") == self.address else {}
        return json.loads(encryption.decrypt(self.secret)) if self.secret else {}

    @secrets.setter
    def secrets(self, values: dict[str, str]) -> None:
        self.secret = encryption.encrypt(json.dumps(values)) if values else ""


class MailboxState(models.Model):
    """What workers know of a mailbox: how sending and fetching go, positions, tokens, measured facts."""

    class Health(models.TextChoices):
        NEW = "new", _("not tried yet")
        OK = "ok", _("works")
        SLOW = "slow", _("The server asks for a pause.")
        REFUSED = "refused", _("The server refuses us.")
        UNREACHABLE = "unreachable", _("The server does not respond.")

    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="state")
    send_state = models.CharField(_("sending"), max_length=12, choices=Health, default=Health.NEW)
    send_since = models.DateTimeField(_("sending since"), null=True)
    send_error = models.TextField(_("last error of sending"), blank=True)
    send_failures = models.PositiveIntegerField(_("failures of sending in a row"), default=0)
    sent_at = models.DateTimeField(_("last sent"), null=True)
    fetch_state = models.CharField(_("fetching"), max_length=12, choices=Health, default=Health.NEW)
    fetch_since = models.DateTimeField(_("fetching since"), null=True)
    fetch_error = models.TextField(_("last error of fetching"), blank=True)
    fetch_failures = models.PositiveIntegerField(_("failures of fetching in a row"), default=0)
    fetched_at = models.DateTimeField(_("last fetched"), null=True)
    next_fetch_at = models.DateTimeField(_("next fetch"), null=True)
    lease_until = models.DateTimeField(_("leased until"), null=True)
    uid_validity = models.BigIntegerField(_("UIDVALIDITY"), null=True)
    last_uid = models.BigIntegerField(_("last UID"), null=True)
    delta_link = models.TextField(_("delta link"), blank=True)
    from_moment = models.DateTimeField(
        _("reads from"), null=True, help_text=_("Older emails in the mailbox are not read.")
    )
    checked_until_uid = models.BigIntegerField(
        _("checked up to UID"),
        default=0,
        help_text=_("Up to this UID, emails are only read if they arrived after that moment."),
    )
    rebuilt_at = models.DateTimeField(_("folder rebuilt"), null=True)
    next_move_at = models.DateTimeField(_("next try to move emails"), null=True)
    stuck_place = models.CharField(
        _("email that can't be read"), max_length=255, blank=True, help_text=_("Its place, as in an arrival.")
    )
    stuck_rounds = models.PositiveSmallIntegerField(_("rounds that it has ended"), default=0)
    access_token = models.TextField(_("access token, encrypted"), blank=True)
    access_expires_at = models.DateTimeField(_("access token ends"), null=True)
    keeps_message_id = models.BooleanField(_("keeps our Message-ID"), null=True)
    keeps_plus = models.BooleanField(_("keeps plus addresses"), null=True)
    keeps_auto_submitted = models.BooleanField(_("keeps Auto-Submitted"), null=True)
    proves_itself = models.BooleanField(_("verifies our own email"), null=True)
    measured_at = models.DateTimeField(_("measured"), null=True)

    class Meta:
        verbose_name = verbose_name_plural = _("state of a mailbox")

    def __str__(self):
        return f"{self.mailbox}: {self.get_send_state_display()}"

    @classmethod
    def of(cls, mailbox: Mailbox) -> "MailboxState":
        return cls.objects.get_or_create(mailbox=mailbox)[0]
