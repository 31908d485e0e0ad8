"""Links about an account, made when a mail is rendered: no secret lies in the outbox.

They begin with SITE_URL, never with the host of a request.
"""

import re

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

KEY = re.compile(r"(?<=[/=.])[\w:-]{20,}")  # signatures, and what opens an account


def absolute(route: str, *args) -> str:
    return settings.SITE_URL + reverse(route, args=args)


def confirmation_link(person, address: str) -> str:
    """Confirms that `address` is the person's. Signed, expires (ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS).

    Raises EmailAddress.DoesNotExist where the person has given another address since.
    """
    email_address = EmailAddress.objects.get(user=person, email__iexact=address)
    return absolute("account_confirm_email", EmailConfirmationHMAC(email_address).key)


def password_reset_link(person) -> str:
    """Works once and for PASSWORD_RESET_TIMEOUT seconds from now."""
    return absolute(
        "account_reset_password_from_key",
        user_pk_to_url_str(person),
        default_token_generator.make_token(person),
    )


def without_keys(text: str) -> str:
    """`text` with links of ours that open nothing and do nothing."""
    return re.sub(rf"(?i){re.escape(settings.SITE_URL)}\S+", lambda link: KEY.sub("…", link[0]), text)
