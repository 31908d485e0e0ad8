"""Accounts for people who did not sign up themselves."""

import logging

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User

logger = logging.getLogger("security")


def invite(address: str, *, full_name: str) -> User:
    """Returns the person with this address, or creates a requester without a password.

    Sends no email. The receipt of the ticket invites a person without a password to choose one, so the
    address counts as confirmed. SIGNUP_EMAIL_DOMAINS does not limit staff. An unconfirmed account is
    accepted too.
    """
    address = address.lower()
    try:
        person = User.objects.filter(email=address).first() or _new(address, full_name)
        if not person.may_be_mailed:
            vouch_for(person)
        return person
    except IntegrityError:  # another request was faster
        return User.objects.get(email=address)


@transaction.atomic
def vouch_for(person: User) -> None:
    """Confirms the address on behalf of its owner, and removes the previous one.

    If no address of the account was ever confirmed, removes the password too, because anybody may have signed
    up with this address.
    """
    addresses = EmailAddress.objects.filter(user=person)
    if settings.HAS_MAIL_PROVIDER and addresses.exists() and not addresses.filter(verified=True).exists():
        person.set_unusable_password()
        person.save(update_fields=["password"])
    addresses.delete()
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    person.__dict__.pop("may_be_mailed", None)


@transaction.atomic
def _new(address: str, full_name: str) -> User:
    person = User.objects.create_user(address, full_name=full_name)
    vouch_for(person)
    logger.info("Person %s has an account without signing up.", person.pk)
    return person
