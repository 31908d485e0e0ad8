from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import (
    MinimumLengthValidator,
    NumericPasswordValidator,
    get_default_password_validators,
)
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from accounts.adapter import is_allowed_domain
from accounts.fields import OneLineFormField
from accounts.models import User
from accounts.time_zones import BrowserTimeZoneField, TimeZoneField
from accounts.validators import ADDRESS_MESSAGE, validate_address, validate_single_line, validate_visible

LONGEST_PASSWORD = 256


def password_rules() -> dict:
    """Returns the attributes of the password rules that the browser can check (helpdesk.form_fields)."""
    rules = {}
    for validator in get_default_password_validators():
        if isinstance(validator, MinimumLengthValidator):
            rules |= {"minlength": validator.min_length, "data-too-short": validator.get_error_message()}
        elif isinstance(validator, NumericPasswordValidator):
            rules |= {"pattern": r".*\D.*", "data-invalid": validator.get_error_message()}
    return rules


class PlainFieldsMixin:
    """Our labels for allauth's fields, without placeholders. One password field, because it can be shown."""

    labels = {
        "login": _("Email address"),
        "email": _("Email address"),
        "password": _("Password"),
        "oldpassword": _("Current password"),
        "password1": _("New password"),
    }
    messages_if_empty = {
        "login": _("Enter your email address."),
        "email": _("Enter your email address."),
        "password": _("Enter your password."),
        "oldpassword": _("Enter your current password."),
        "password1": _("Enter a new password."),
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields.pop("password2", None)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            if message := self.messages_if_empty.get(name):
                field.error_messages["required"] = message
            if isinstance(field, forms.EmailField):
                field.error_messages["invalid"] = ADDRESS_MESSAGE
            if "password" in name:
                field.widget.attrs["maxlength"] = LONGEST_PASSWORD
                field.validators.append(MaxLengthValidator(LONGEST_PASSWORD))
                field.help_text = ""
            if name == "password1":
                field.help_text = _("At least 8 characters.")
                field.widget.attrs |= password_rules()


def validate_domain(address: str) -> None:
    validate_address(address)
    if not is_allowed_domain(address):
        raise ValidationError(
            _("Use your work email address. It ends in %(domains)s."),
            params={"domains": ", ".join(f"@{domain}" for domain in settings.SIGNUP_EMAIL_DOMAINS)},
        )


class SignupForm(PlainFieldsMixin, allauth_forms.SignupForm):
    """Gives the same answer whether the address has an account or not. The owner gets an email."""

    labels = {**PlainFieldsMixin.labels, "password1": _("Password")}
    messages_if_empty = {**PlainFieldsMixin.messages_if_empty, "password1": _("Enter a password.")}
    field_order = ["full_name", "email", "password1", "time_zone"]

    full_name = OneLineFormField(
        label=_("Your name"),
        error_messages={"required": _("Enter your name.")},
        max_length=150,
        validators=[validate_single_line, validate_visible],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    time_zone = BrowserTimeZoneField()

    def clean_email(self):
        address = super().clean_email().lower()
        validate_domain(address)
        return address

    def validate_unique_email(self, value):
        self.account_already_exists = User.objects.filter(email=value.lower()).exists()
        return value

    def try_save(self, request):
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])  # takes the same time as a new account
        if settings.HAS_MAIL_PROVIDER:
            return super().try_save(request)
        return self._save_unconfirmed(request)

    @transaction.atomic
    def save(self, request):
        return super().save(request)

    def _save_unconfirmed(self, request):
        """Activates the account at once, because without an email provider nobody can confirm an address."""
        adapter = get_adapter()
        if self.account_already_exists:
            adapter.send_account_already_exists_mail(self.cleaned_data["email"])
        else:
            adapter.welcome(self.save(request))
        messages.success(request, _("Your account is ready. Log in to continue."))
        return None, redirect("account_login")


class LoginForm(PlainFieldsMixin, allauth_forms.LoginForm):
    pass


class AddressForm(PlainFieldsMixin, allauth_forms.AddEmailForm):
    labels = {"email": _("New email address")}
    messages_if_empty = {"email": _("Enter an email address.")}

    def clean_email(self):
        address = super().clean_email()
        validate_domain(address)
        return address

    @transaction.atomic
    def save(self, request):
        """Replaces the unconfirmed new address.

        allauth would replace the account's own address if that was never confirmed.
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
        """Above the rate limits the page stays the same, but no email is sent."""
        address = self.cleaned_data["email"].lower()
        if not ratelimit.consume(request, action="reset_mail", key=address):
            return address
        return super().save(request, **kwargs)


class PasswordResetKeyForm(PlainFieldsMixin, allauth_forms.ResetPasswordKeyForm):
    pass


class ReauthenticateForm(PlainFieldsMixin, allauth_forms.ReauthenticateForm):
    pass


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["full_name", "phone", "department", "location", "time_zone", "first_page"]
        labels = {"full_name": _("Your name"), "location": _("Location")}
        error_messages = {"full_name": {"required": _("Enter your name.")}}
        help_texts = {"location": _("Building, floor, room or desk."), "time_zone": ""}
        widgets = {
            "full_name": forms.TextInput(attrs={"autocomplete": "name"}),
            "phone": forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
            "department": forms.TextInput(attrs={"autocomplete": "organization-title"}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = TimeZoneField()
        if not self.instance.is_staff:
            del self.fields["first_page"]
