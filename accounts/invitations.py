"""Accounts for people who did not sign up: staff file a ticket for them."""

import logging

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from accounts.models import User

logger = logging.getLogger("security")


def invite(address: str, *, full_name: str) -> User:
    """The person with this mail address; where nobody has it, a new requester without a password.

    Sends no mail: a receipt to somebody without a password asks to choose one. Only who reads that mail can
    choose it, so the address counts as confirmed. SIGNUP_EMAIL_DOMAINS does not bind staff.
    """
    address = address.lower()
    try:
        return User.objects.filter(email=address).first() or _new(address, full_name)
    except IntegrityError:  # somebody else was faster
        return User.objects.get(email=address)


@transaction.atomic
def _new(address: str, full_name: str) -> User:
    person = User.objects.create_user(address, full_name=full_name)
    EmailAddress.objects.create(user=person, email=address, verified=True, primary=True)
    logger.info("Person %s has an account without signing up.", person.pk)
    return person
