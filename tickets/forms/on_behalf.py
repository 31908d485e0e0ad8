from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineFormField
from accounts.invitations import invite
from accounts.validators import validate_address, validate_single_line, validate_visible

DEACTIVATED = _("This account is deactivated, so no one would read the replies.")


class OnBehalfMixin(forms.Form):
    """For a new ticket whose requester is selected, or entered by email address and possibly new."""

    requester_email = forms.EmailField(
        label=_("Or an email address"),
        required=False,
        max_length=get_user_model()._meta.get_field("email").max_length,
        validators=[validate_address],
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    requester_name = OneLineFormField(
        label=_("Name"),
        required=False,
        max_length=150,
        validators=[validate_single_line, validate_visible],
        help_text=_("For someone new. We'll ask them by email to choose a password."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["requester"].required = False
        self.is_invited = False

    def clean_requester_email(self) -> str:
        return self.cleaned_data["requester_email"].lower()

    def clean(self):
        cleaned = super().clean()
        if self.errors.keys() & {"requester", "requester_email", "requester_name"}:
            return cleaned
        person, address = cleaned["requester"], cleaned["requester_email"]
        if not address and person is None:
            self.add_error("requester", _("Choose who needs help, or enter an email address."))
        elif address and (person is None or person.email == address):
            cleaned["requester"] = self._person_with(address)
        elif address:
            text = _("This is not the address of the person above. Fill in only one of the two.")
            self.add_error("requester_email", text)
        elif not person.is_active:
            self.add_error("requester", DEACTIVATED)
        elif not person.may_be_mailed:
            text = _("This person's email address is not confirmed. Enter it below to invite them.")
            self.add_error("requester", text)
        return cleaned

    def _person_with(self, address: str):
        """Returns None for a person who will be invited, or who can't be the requester."""
        person = get_user_model().objects.filter(email=address).first()
        if person is None and not self.cleaned_data["requester_name"]:
            self.add_error("requester_name", _("No one has this address yet. Enter the name too."))
        elif person is not None and not person.is_active:
            self.add_error("requester_email", DEACTIVATED)
        return person if person is not None and person.may_be_mailed else None

    def save(self, commit=True):
        if self.instance.requester_id is None:
            address, name = self.cleaned_data["requester_email"], self.cleaned_data["requester_name"]
            self.instance.requester = invite(address, full_name=name)
            self.is_invited = True
        return super().save(commit)
