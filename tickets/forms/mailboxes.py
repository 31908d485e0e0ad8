"""Forms for mailboxes: a short one for each way to add one, and one that changes everything.

A secret is typed in and never shown again.
"""

import json

from django import forms
from django.conf import settings
from django.core.validators import DomainNameValidator, validate_ipv46_address
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.env import is_loopback
from tickets.forms.tickets import LinesField
from tickets.mail.receiving.fetching.connecting import Old
from tickets.models import Mailbox

Auth, Security, Proof = Mailbox.Auth, Mailbox.Security, Mailbox.Proof
SECRET = "new_secret"  # noqa: S105
SERVER = (
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "imap_host",
    "imap_port",
    "imap_security",
    "user",
    "folder",
)
APPLICATION = ("tenant", "client_id", "secret_expires_on")
# What says where a secret is sent. Whoever changes one of these must know the secret.
DESTINATION = frozenset(
    {
        *("address", "user", "tenant", "client_id"),
        *("smtp_host", "smtp_port", "smtp_security", "imap_host", "imap_port", "imap_security"),
    }
)
validate_host = DomainNameValidator(message=_("Enter the name of a server, or its IP address."))
GMAIL = {
    "smtp_host": "smtp.gmail.com",
    "smtp_port": 465,
    "smtp_security": Security.TLS,
    "imap_host": "imap.gmail.com",
    "imap_port": 993,
    "imap_security": Security.TLS,
    "proof": Proof.RESULTS,
    "authserv_id": "mx.google.com",
}


def password_input() -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "vTextField"})


def key_input() -> forms.Textarea:
    return forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"})


def clean_host(text: str) -> str:
    """The name or IP address of a server, in lower case. Raises ValidationError."""
    host = text.strip().lower().rstrip(".")
    if host and not is_loopback(host):
        try:
            validate_ipv46_address(host)
        except forms.ValidationError:
            validate_host(host)
    return host


class HostsMixin:
    def clean_smtp_host(self):
        return clean_host(self.cleaned_data["smtp_host"])

    def clean_imap_host(self):
        return clean_host(self.cleaned_data["imap_host"])


class SecretMixin:
    """A field for the secret. Blank keeps the present one."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields[SECRET].required = not self.instance.secret

    def _post_clean(self):
        super()._post_clean()
        if typed := self.cleaned_data.get(SECRET):
            # Who logged in at the provider has to do it again.
            self.instance.secrets = {self.kind_of_secret(typed): typed}
            self.instance.secret_changed_at = timezone.now()

    def kind_of_secret(self, typed: str) -> str:
        if self.instance.auth == Auth.PASSWORD:
            return "password"
        is_key = self.instance.auth == Auth.GOOGLE_SERVICE or typed.startswith("-----BEGIN")
        return "private_key" if is_key else "client_secret"

    def clean_new_secret(self):
        """The secret alone. The JSON key of a service account also holds its address."""
        typed = self.cleaned_data[SECRET]
        if not typed or self.instance.auth != Auth.GOOGLE_SERVICE:
            return typed
        try:
            account = json.loads(typed)
            self.instance.client_id = str(account["client_email"])[:200]
            return str(account["private_key"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            words = _(
                "This is not the JSON key of a service account. It starts with { and has a private_key."
            )
            raise forms.ValidationError(words) from error


class NewMailboxForm(forms.ModelForm):
    """The few questions for one kind of mailbox. FIXED answers the others."""

    FIXED: dict = {}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, value in self.FIXED.items():
            setattr(self.instance, name, value)
        self.instance.sender_name = settings.SITE_NAME
        self.instance.is_default = not Mailbox.objects.filter(is_default=True).exists()

    def clean_address(self):
        return self.cleaned_data["address"].lower()

    def clean(self):
        cleaned = super().clean()
        self.instance.name = cleaned.get("address", "")[:80]
        return cleaned


class MicrosoftForm(SecretMixin, NewMailboxForm):
    FIXED = {
        "sends_by": Mailbox.Sending.GRAPH,
        "fetches_by": Mailbox.Fetching.GRAPH,
        "auth": Auth.MICROSOFT_APP,
        "proof": Proof.EXCHANGE,
    }
    new_secret = forms.CharField(label=_("Client secret"), widget=password_input())

    class Meta:
        model = Mailbox
        fields = ("address", *APPLICATION)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in APPLICATION:
            self.fields[name].required = True


class MicrosoftPersonForm(MicrosoftForm):
    """Connected by the person, or the shared mailbox's member, who logs in at Microsoft."""

    FIXED = MicrosoftForm.FIXED | {"auth": Auth.MICROSOFT_PERSON}


class GooglePersonForm(SecretMixin, NewMailboxForm):
    FIXED = {
        "sends_by": Mailbox.Sending.SMTP,
        "fetches_by": Mailbox.Fetching.IMAP,
        "auth": Auth.GOOGLE_APP,
        **GMAIL,
    }
    new_secret = forms.CharField(label=_("Client secret"), widget=password_input())

    class Meta:
        model = Mailbox
        fields = ("address", "client_id")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["client_id"].required = True

    def clean(self):
        cleaned = super().clean()
        self.instance.user = cleaned.get("address", "")
        return cleaned


class GoogleForm(SecretMixin, NewMailboxForm):
    FIXED = {
        "sends_by": Mailbox.Sending.SMTP,
        "fetches_by": Mailbox.Fetching.IMAP,
        "auth": Auth.GOOGLE_SERVICE,
        **GMAIL,
    }
    new_secret = LinesField(label=_("JSON key of the service account"), widget=key_input(), max_length=10_000)

    class Meta:
        model = Mailbox
        fields = ("address",)

    def clean(self):
        cleaned = super().clean()
        self.instance.user = cleaned.get("address", "")
        return cleaned


class ServerForm(HostsMixin, SecretMixin, NewMailboxForm):
    FIXED = {"sends_by": Mailbox.Sending.SMTP, "fetches_by": Mailbox.Fetching.IMAP, "auth": Auth.PASSWORD}
    new_secret = forms.CharField(label=_("Password"), widget=password_input(), strip=False)

    class Meta:
        model = Mailbox
        fields = ("address", "user", "smtp_host", "imap_host")
        help_texts = {
            "user": _("Blank: the address."),
            "smtp_host": _("The name of your server. Port 465 with TLS; you can change that later."),
            "imap_host": _("Blank: the same server. Port 993 with TLS; you can change that later."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["smtp_host"].required = True

    def clean(self):
        cleaned = super().clean()
        cleaned["user"] = cleaned.get("user") or cleaned.get("address", "")
        cleaned["imap_host"] = cleaned.get("imap_host") or cleaned.get("smtp_host", "")
        return cleaned


class ServiceForm(NewMailboxForm):
    """A mailbox that only sends, by the service of the settings."""

    FIXED = {"sends_by": Mailbox.Sending.ESP, "fetches_by": Mailbox.Fetching.NO}

    class Meta:
        model = Mailbox
        fields = ("address",)


class MailboxForm(HostsMixin, SecretMixin, forms.ModelForm):
    """Changes a mailbox."""

    new_secret = forms.CharField(
        label=_("New secret"),
        widget=password_input(),
        strip=False,
        max_length=10_000,
        help_text=_("Blank keeps the present one, which is never shown."),
    )

    class Meta:
        model = Mailbox
        fields = (
            *("name", "address", "sender_name", "category", "is_active", "is_default"),
            *("sends_by", "fetches_by"),
            *SERVER,
            *APPLICATION,
            *("after", "filed_folder", "new_tickets_when", "plus", "first_contact", "proof", "authserv_id"),
        )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        is_microsoft = self.instance.auth in (Auth.MICROSOFT_APP, Auth.MICROSOFT_PERSON)
        for name, choices in (("sends_by", Mailbox.Sending), ("fetches_by", Mailbox.Fetching)):
            if name in self.fields:
                left_out = () if is_microsoft else ("graph",)
                self.fields[name].choices = [pair for pair in choices.choices if pair[0] not in left_out]
        if "proof" in self.fields:  # headers of Mailgun count only in what Mailgun posts
            self.fields["proof"].choices = [pair for pair in Proof.choices if pair[0] != Proof.MAILGUN]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("sends_by") == Mailbox.Sending.SMTP and not self._value("smtp_host"):
            self.add_error("sends_by", _("Enter the SMTP server."))
        if cleaned.get("fetches_by") == Mailbox.Fetching.IMAP and not self._value("imap_host"):
            self.add_error("fetches_by", _("Enter the IMAP server."))
        for protocol in ("smtp", "imap"):
            is_open = cleaned.get(f"{protocol}_security") == Security.NONE
            if is_open and not is_loopback(cleaned.get(f"{protocol}_host") or ""):
                words = _("Without encryption only a server on this machine is possible.")
                self.add_error(f"{protocol}_security", words)
        if cleaned.get("proof") == Proof.RESULTS and not cleaned.get("authserv_id"):
            self.add_error("authserv_id", _("Enter the name that your server writes."))
        if DESTINATION & set(self.changed_data) and self.instance.secret and not cleaned.get(SECRET):
            self.add_error(SECRET, _("Enter the secret again, because it goes to another place now."))
        return cleaned

    def _value(self, name: str) -> str:
        """What is typed into a field, or the present value if the form does not have it."""
        return self.cleaned_data.get(name, getattr(self.instance, name))


class ConnectForm(forms.Form):
    """What to do with the emails that are in the mailbox already."""

    old = forms.ChoiceField(
        label=_("Emails from before"), choices=Old, widget=forms.RadioSelect, initial=Old.NOTHING
    )
    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=365, required=False, initial=7)

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("old") == Old.DAYS and not cleaned.get("days") and "days" not in self.errors:
            self.add_error("days", _("Enter a number of days."))
        return cleaned


# The ways to add a mailbox: {name in the address: (form, title, text)}
KINDS = {
    "microsoft": (
        MicrosoftForm,
        _("Microsoft 365"),
        _("An application in Microsoft Entra that may use one mailbox. No password."),
    ),
    "google": (
        GoogleForm,
        _("Google Workspace"),
        _("A service account with domain-wide delegation. No password."),
    ),
    "microsoft_person": (
        MicrosoftPersonForm,
        _("Microsoft 365, as a person"),
        _("You log in at Microsoft once, and the helpdesk may use your mailbox."),
    ),
    "google_person": (
        GooglePersonForm,
        _("Google, as a person"),
        _("You log in at Google once, and the helpdesk may use your mailbox."),
    ),
    "server": (ServerForm, _("Another mail server"), _("SMTP and IMAP with a user name and a password.")),
    "service": (
        ServiceForm,
        _("The email service of the settings"),
        _("Only sends, by the service that MAIL_PROVIDER names."),
    ),
}
