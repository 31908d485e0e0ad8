"""Accounts for people who did not sign up: staff file a ticket for them, administrators make them."""

import logging

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User

logger = logging.getLogger("security")


def invite(address: str, *, full_name: str) -> User:
    """The person with this mail address; where nobody has it, a new requester without a password.

    Sends no mail: a receipt to somebody without a password asks to choose one. Only who reads that mail can
    choose it, so the address counts as confirmed. SIGNUP_EMAIL_DOMAINS does not bind staff. An account that
    waits for its confirmation becomes such a one too.
    """
    address = address.lower()
    try:
        person = User.objects.filter(email=address).first() or _new(address, full_name)
        if not person.may_be_mailed:
            vouch_for(person)
        return person
    except IntegrityError:  # somebody else was faster
        return User.objects.get(email=address)


@transaction.atomic
def vouch_for(person: User) -> None:
    """Makes the address count as confirmed; the one before it opens nothing any more.

    An account of which no address was ever confirmed may be anybody's who signed up with it: its password
    opens nothing any more either.
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
