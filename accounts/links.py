"""Links about an account. They are created when an email is rendered, so the outbox contains no secrets.

They start with SITE_URL, never with the host of a request.
"""

import re

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

KEY = re.compile(r"(?<=[/=.])[\w:-]{20,}")  # signatures and login keys


def absolute(route: str, *args) -> str:
    return settings.SITE_URL + reverse(route, args=args)


def confirmation_link(person, address: str) -> str:
    """A signed link to confirm `address`, valid for ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS.

    Raises EmailAddress.DoesNotExist if the person has changed the address since.
    """
    email_address = EmailAddress.objects.get(user=person, email__iexact=address)
    return absolute("account_confirm_email", EmailConfirmationHMAC(email_address).key)


def password_reset_link(person) -> str:
    """A link that works once, within PASSWORD_RESET_TIMEOUT seconds."""
    return absolute(
        "account_reset_password_from_key",
        user_pk_to_url_str(person),
        default_token_generator.make_token(person),
    )


def without_keys(text: str) -> str:
    """`text` with our links made useless: without keys and signatures."""
    return re.sub(rf"(?i){re.escape(settings.SITE_URL)}\S+", lambda link: KEY.sub("…", link[0]), text)
