"""Connects a mailbox as a person: the authorization code flow with PKCE (RFC 6749, 4.1; RFC 7636).

The person logs in at Microsoft or Google, which sends the browser back with a code. The code is traded for a
refresh token.
"""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlencode

from django.conf import settings

from tickets.mail import access_tokens
from tickets.models import Mailbox

Auth = Mailbox.Auth
BY_PERSON = (Auth.MICROSOFT_PERSON, Auth.GOOGLE_APP)


def new_verifier() -> str:
    """The secret of one flow (RFC 7636, 4.1)."""
    return secrets.token_urlsafe(48)


def page_of_provider(mailbox: Mailbox, *, state: str, verifier: str, back: str) -> str:
    """The address where the person logs in. `back` is where the provider then sends the browser."""
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode("ascii")
    asked = {
        "client_id": mailbox.client_id,
        "response_type": "code",
        "redirect_uri": back,
        "scope": access_tokens.scope_of_person(mailbox),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "login_hint": mailbox.address,
    }
    if mailbox.auth == Auth.GOOGLE_APP:
        # Without these Google gives a refresh token at the first consent only.
        asked |= {"access_type": "offline", "prompt": "consent"}
        return f"{settings.GOOGLE_LOGIN_URL}?{urlencode(asked)}"
    page = f"{settings.MICROSOFT_LOGIN_URL}/{mailbox.tenant or 'organizations'}/oauth2/v2.0/authorize"
    return f"{page}?{urlencode(asked | {'prompt': 'select_account'})}"


def connect(mailbox: Mailbox, *, code: str, verifier: str, back: str) -> None:
    """Trades the code for a refresh token, which is stored. Raises TokenRefused and TokenLater."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": back,
    }
    access_tokens.trade(mailbox, fields)
