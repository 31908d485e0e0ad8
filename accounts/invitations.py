"""Accounts for people who did not sign up themselves, and their invitations to choose a password."""

import logging
from collections.abc import Iterator, Sequence

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.events import AccountMail, account_mail_requested
from accounts.models import Invitation, User
from helpdesk import clock

logger = logging.getLogger("security")
# Invitations at a time. More would delay emails about tickets, and providers limit emails a minute.
PER_RUN = 10
BATCH = 500


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


def ask_to_invite(people: Sequence[int] | None = None) -> int:
    """Invites the people (their primary keys; None: all) who wait for an invitation. Returns their number.

    The timed job sends the invitations, a few at a time. Without an email provider they are printed now.
    """
    now = clock.now()
    count = sum(part.update(asked_at=now) for part in _waiting(people))
    if not settings.HAS_MAIL_PROVIDER:
        send_due(most=None)
    return count


def count_waiting(people: Sequence[int] | None = None) -> int:
    return sum(part.count() for part in _waiting(people))


def _waiting(people: Sequence[int] | None) -> Iterator[QuerySet]:
    waiting = Invitation.objects.waiting()
    if people is None:
        yield waiting
    else:
        for start in range(0, len(people), BATCH):
            yield waiting.filter(pk__in=people[start : start + BATCH])


def send_due(most: int | None = PER_RUN) -> int:
    """Puts up to `most` due invitations into the outbox, each in its own transaction. Returns their number.

    May be killed and run again, also twice at once: only who marks an invitation as sent may queue its email.
    """
    due = list(Invitation.objects.due().select_related("person")[:most])
    return sum(_send(invitation) for invitation in due)


@transaction.atomic
def _send(invitation: Invitation) -> bool:
    is_ours = Invitation.objects.due().filter(pk=invitation.pk).order_by().update(sent_at=clock.now())
    if is_ours:
        person, kind = invitation.person, AccountMail.ACCOUNT_CREATED
        account_mail_requested.send(sender=User, person=person, kind=kind, address=person.email)
    return bool(is_ours)
