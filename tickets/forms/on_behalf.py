from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineFormField
from accounts.invitations import invite
from accounts.validators import validate_address, validate_single_line, validate_visible


class OnBehalfMixin(forms.Form):
    """For a new ticket: its requester is chosen, or is the person with a mail address, who may be new."""

    requester_email = forms.EmailField(
        label=_("Or a mail address"),
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
        help_text=_("Of somebody who is new here. We ask by mail to choose a password."),
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
            self.add_error("requester", _("Please choose who needs help, or type a mail address."))
        elif address and (person is None or person.email == address):
            cleaned["requester"] = self._person_with(address)
        elif address:
            text = _("This is not the address of the person above. Please give one of the two.")
            self.add_error("requester_email", text)
        elif not person.may_be_mailed:
            text = _("Nobody has confirmed this person's email address. Type it below to invite them.")
            self.add_error("requester", text)
        return cleaned

    def _person_with(self, address: str):
        """None for somebody who is to be invited, or who can't be the requester."""
        person = get_user_model().objects.filter(email=address).first()
        if person is None and not self.cleaned_data["requester_name"]:
            self.add_error("requester_name", _("Nobody has this address yet. Please type the name too."))
        elif person is not None and not person.is_active:
            self.add_error("requester_email", _("This account is switched off."))
        return person if person is not None and person.may_be_mailed else None

    def save(self, commit=True):
        if self.instance.requester_id is None:
            address, name = self.cleaned_data["requester_email"], self.cleaned_data["requester_name"]
            self.instance.requester = invite(address, full_name=name)
            self.is_invited = True
        return super().save(commit)
