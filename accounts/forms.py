from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts.adapter import is_allowed_domain
from accounts.fields import OneLineFormField
from accounts.models import User, time_zone_names
from accounts.validators import validate_address, validate_single_line, validate_visible

LONGEST_PASSWORD = 256


class PlainFieldsMixin:
    """Our words on allauth's fields: no placeholders, one new password instead of two (it can be shown)."""

    labels = {
        "login": _("Mail address"),
        "email": _("Mail address"),
        "password": _("Password"),
        "oldpassword": _("Present password"),
        "password1": _("New password"),
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields.pop("password2", None)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            if "password" in name:
                field.widget.attrs["maxlength"] = LONGEST_PASSWORD
                field.validators.append(MaxLengthValidator(LONGEST_PASSWORD))
                field.help_text = _("At least 8 characters.") if name == "password1" else ""


def validate_domain(address: str) -> None:
    validate_address(address)
    if not is_allowed_domain(address):
        raise ValidationError(
            _("Please use your work address. It ends in %(domains)s."),
            params={"domains": ", ".join(f"@{domain}" for domain in settings.SIGNUP_EMAIL_DOMAINS)},
        )


class SignupForm(PlainFieldsMixin, allauth_forms.SignupForm):
    """Answers the same whether the address has an account or not; the owner is told by mail."""

    labels = {**PlainFieldsMixin.labels, "password1": _("Password")}
    field_order = ["full_name", "email", "password1"]

    full_name = OneLineFormField(
        label=_("Your name"),
        max_length=150,
        validators=[validate_single_line, validate_visible],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def clean_email(self):
        address = super().clean_email().lower()
        validate_domain(address)
        return address

    def validate_unique_email(self, value):
        self.account_already_exists = User.objects.filter(email=value.lower()).exists()
        return value

    def try_save(self, request):
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])  # a new account costs this time
        if settings.HAS_MAIL_PROVIDER:
            return super().try_save(request)
        return self._save_unconfirmed(request)

    @transaction.atomic
    def save(self, request):
        return super().save(request)

    def _save_unconfirmed(self, request):
        """Without a mail provider nobody can confirm an address: the account is ready at once."""
        adapter = get_adapter()
        if self.account_already_exists:
            adapter.send_account_already_exists_mail(self.cleaned_data["email"])
        else:
            adapter.welcome(self.save(request))
        messages.success(request, _("Your account is ready. Please log in."))
        return None, redirect("account_login")


class LoginForm(PlainFieldsMixin, allauth_forms.LoginForm):
    pass


class AddressForm(PlainFieldsMixin, allauth_forms.AddEmailForm):
    labels = {"email": _("New mail address")}

    def clean_email(self):
        address = super().clean_email()
        validate_domain(address)
        return address

    @transaction.atomic
    def save(self, request):
        """Replaces the address that waits to be confirmed.

        allauth would take for it the account's own, where that was never confirmed, and leave it with none.
        """
        address = self.cleaned_data["email"]
        waiting = EmailAddress.objects.filter(user=self.user, verified=False)
        waiting.exclude(email__in=[self.user.email, address]).delete()
        return EmailAddress.objects.add_email(request, self.user, address, confirm=True)


class PasswordChangeForm(PlainFieldsMixin, allauth_forms.ChangePasswordForm):
    pass


class PasswordSetForm(PlainFieldsMixin, allauth_forms.SetPasswordForm):
    pass


class PasswordResetForm(PlainFieldsMixin, allauth_forms.ResetPasswordForm):
    def save(self, request, **kwargs):
        """Past the limits for address and network address the page is the same, and no mail leaves."""
        address = self.cleaned_data["email"].lower()
        if not ratelimit.consume(request, action="reset_mail", key=address):
            return address
        return super().save(request, **kwargs)


class PasswordResetKeyForm(PlainFieldsMixin, allauth_forms.ResetPasswordKeyForm):
    pass


class ReauthenticateForm(PlainFieldsMixin, allauth_forms.ReauthenticateForm):
    pass


def time_zones() -> list[tuple[str, str]]:
    default = _("As the helpdesk: %(zone)s") % {"zone": settings.TIME_ZONE.replace("_", " ")}
    zones = sorted(zone for zone in time_zone_names() if "/" in zone and not zone.startswith("Etc/"))
    return [("", default), *((zone, zone.replace("_", " ")) for zone in [*zones, "UTC"])]


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["full_name", "phone", "department", "location", "time_zone"]
        labels = {"full_name": _("Your name"), "location": _("Where to find you")}
        help_texts = {"location": _("Building, floor, room or desk."), "time_zone": ""}
        widgets = {
            "full_name": forms.TextInput(attrs={"autocomplete": "name"}),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
            "department": forms.TextInput(attrs={"autocomplete": "organization-title"}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(label=_("Time zone"), choices=time_zones, required=False)
