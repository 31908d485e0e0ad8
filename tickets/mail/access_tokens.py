"""Access tokens of Microsoft and Google for a mailbox (RFC 6749), kept encrypted in MailboxState.

The row of the state is locked while a token is asked for, so of many workers one asks. A new refresh token is
stored in the same transaction.
"""

import re
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from datetime import timedelta

import jwt
import requests
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from helpdesk import clock, encryption
from tickets.mail import failures
from tickets.models import Mailbox, MailboxState

TIMEOUT = (3, 5)  # seconds to connect, seconds to read
RENEWED_EARLY = timedelta(minutes=5)
MOST_SECONDS = 24 * 3600
AN_HOUR = 3600  # seconds; the lifetime of a token whose server names none, and of an assertion
BUSY = {"temporarily_unavailable", "server_error", "slow_down"}
AADSTS = re.compile(r"AADSTS(\d+)")
MICROSOFT_MAIL = "https://outlook.office365.com"
GOOGLE_MAIL = "https://mail.google.com/"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Auth = Mailbox.Auth


class TokenRefused(Exception):
    """The server gives no token until somebody acts. The message says why."""


class TokenLater(Exception):
    """The server can't be reached or is busy. The message says why."""


def access_token(mailbox: Mailbox, *, renew: bool = False, refused: str = "") -> str:
    """A token that is valid for some minutes. Raises TokenRefused and TokenLater.

    `renew`: the last token was refused. If `refused` is that token, and another worker has renewed it
    meanwhile, the present one is returned.
    """
    stored = _stored(MailboxState.of(mailbox))
    if stored and not renew:
        return stored
    try:
        with transaction.atomic():
            state = MailboxState.objects.select_for_update().get(mailbox=mailbox)
            stored = _stored(state)  # another worker may have asked since
            if stored and not (renew and refused in ("", stored)):
                return stored
            return _ask(mailbox, state)
    except OperationalError as error:  # the lock was not free in time (lock_timeout)
        raise TokenLater(_("Another worker is asking for a token.")) from error


def xoauth2(user: str, token: str) -> str:
    """The response of the login method XOAUTH2, before Base64."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01"


def trade(mailbox: Mailbox, code: dict[str, str]) -> None:
    """Trades the authorization code of a person for tokens, and stores them.

    `code` are the fields of the request (RFC 6749, 4.1.3). Raises TokenRefused and TokenLater.
    """
    with transaction.atomic():
        MailboxState.of(mailbox)
        state = MailboxState.objects.select_for_update().get(mailbox=mailbox)
        secrets = _secrets(mailbox)
        fields = {"client_id": mailbox.client_id, "scope": scope_of_person(mailbox), **code}
        if client_secret := secrets.get("client_secret"):
            fields["client_secret"] = client_secret
        is_google = mailbox.auth == Auth.GOOGLE_APP
        url = settings.GOOGLE_TOKEN_URL if is_google else _microsoft(mailbox)
        answer = _post(mailbox, url, fields, hidden=[*secrets.values(), *code.values()])
        if not answer.get("refresh_token"):
            raise TokenRefused(_("The server gave no lasting access. Connect the mailbox again."))
        _keep(mailbox, state, answer, secrets)
    mailbox.forget_failures(keeps_token=True)


def scope_of_person(mailbox: Mailbox) -> str:
    """The permissions that a person gives to the helpdesk."""
    if mailbox.auth == Auth.GOOGLE_APP:
        return GOOGLE_MAIL
    graph = "https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/Mail.Send"
    imap = f"{MICROSOFT_MAIL}/IMAP.AccessAsUser.All {MICROSOFT_MAIL}/SMTP.Send"
    return f"{graph if _uses_graph(mailbox) else imap} offline_access"


def renew_all() -> None:
    """Asks once a day for a token of each person, because an unused refresh token ends after some weeks."""
    for mailbox in Mailbox.objects.active().filter(auth__in=(Auth.MICROSOFT_PERSON, Auth.GOOGLE_APP)):
        try:
            access_token(mailbox, renew=True)
        except (TokenRefused, TokenLater):
            continue  # the next email says it, and raises the alarm


def _stored(state: MailboxState) -> str:
    """The stored token; "" if it is missing, too old or of a lost key."""
    ends_at = state.access_expires_at
    if not state.access_token or ends_at is None or ends_at <= clock.now() + RENEWED_EARLY:
        return ""
    try:
        return encryption.decrypt(state.access_token)
    except encryption.LostKey:
        return ""


def _secrets(mailbox: Mailbox) -> dict[str, str]:
    """Raises TokenRefused if the key of the secrets is lost."""
    try:
        return mailbox.secrets
    except encryption.LostKey as error:
        raise TokenRefused(failures.LOST_SECRET) from error


def _ask(mailbox: Mailbox, state: MailboxState) -> str:
    secrets = _secrets(Mailbox.objects.get(pk=mailbox.pk)) or _secrets(mailbox)
    if not secrets:
        raise TokenRefused(_("This mailbox has no secret yet."))
    url, fields = REQUESTS[mailbox.auth](mailbox, secrets)
    return _keep(mailbox, state, _post(mailbox, url, fields, hidden=secrets.values()), secrets)


def _keep(mailbox: Mailbox, state: MailboxState, answer: dict, secrets: dict[str, str]) -> str:
    """Stores what the server gave. Returns the access token."""
    token, lifetime = answer["access_token"], answer.get("expires_in", AN_HOUR)
    state.access_token = encryption.encrypt(token)
    seconds = int(lifetime) if str(lifetime).isdecimal() else AN_HOUR
    state.access_expires_at = clock.now() + timedelta(seconds=min(seconds, MOST_SECONDS))
    state.save(update_fields=["access_token", "access_expires_at"])
    if (refresh := answer.get("refresh_token")) and refresh != secrets.get("refresh_token"):
        mailbox.secrets = secrets | {"refresh_token": refresh}
        # Not save(): nobody has changed the mailbox.
        Mailbox.objects.filter(pk=mailbox.pk).update(secret=mailbox.secret)
    return token


def _post(mailbox: Mailbox, url: str, fields: dict[str, str], *, hidden: Iterable[str]) -> dict:
    try:
        answer = requests.post(url, data=fields, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        raise TokenLater(_("No token: %(why)s") % {"why": type(error).__name__}) from None
    try:
        content = answer.json()
    except ValueError:
        content = {}
    if answer.status_code == 200 and isinstance(content, dict) and content.get("access_token"):
        return content
    error, why = (str(content.get(name, "")) for name in ("error", "error_description"))
    why = failures.without(failures.storable(why.splitlines()[0] if why else error), hidden)
    if answer.status_code == 429 or answer.status_code >= 500 or error in BUSY:
        raise TokenLater(_("No token: %(why)s") % {"why": f"{answer.status_code} {why}".strip()})
    raise TokenRefused(_cause(mailbox, why) or f"{answer.status_code} {error}: {why}")


def _cause(mailbox: Mailbox, why: str) -> str:
    """The cause in plain words, if Microsoft names one that we know; else ""."""
    found = AADSTS.search(why)
    words = CAUSES.get(found[1], lambda mailbox: "")(mailbox) if found else ""
    return f"{words} ({found.group()})" if words else ""


def _secret_has_ended(mailbox: Mailbox) -> str:
    if mailbox.secret_expires_on is None:
        return _("The client secret has ended. Make a new one in Entra and type it here.")
    return _("The client secret ended on %(date)s. Make a new one in Entra and type it here.") % {
        "date": date_format(mailbox.secret_expires_on, "DATE_FORMAT")
    }


CAUSES: dict[str, Callable[[Mailbox], str]] = {
    "7000222": _secret_has_ended,
    "7000215": lambda mailbox: _("The client secret is wrong. Type its value, not its ID."),
    "700016": lambda mailbox: _("The tenant has no application with this client ID."),
    "90002": lambda mailbox: _("There is no tenant with this ID."),
    "65001": lambda mailbox: _("An administrator of the tenant has not consented to the application."),
    "700082": lambda mailbox: _("The connection was not used for too long. Connect the mailbox again."),
    "50173": lambda mailbox: _("The password of the account has changed. Connect the mailbox again."),
}


def _microsoft(mailbox: Mailbox) -> str:
    tenant = mailbox.tenant or "organizations"
    return f"{settings.MICROSOFT_LOGIN_URL}/{tenant}/oauth2/v2.0/token"


def _uses_graph(mailbox: Mailbox) -> bool:
    return "graph" in (mailbox.sends_by, mailbox.fetches_by)


def _of_microsoft_app(mailbox: Mailbox, secrets: dict) -> tuple[str, dict]:
    """Client credentials: a secret, or a certificate that signs an assertion (RFC 7523)."""
    resource = "https://graph.microsoft.com" if _uses_graph(mailbox) else MICROSOFT_MAIL
    fields = {"grant_type": "client_credentials", "client_id": mailbox.client_id}
    fields["scope"] = f"{resource}/.default"
    if "client_secret" in secrets:
        return _microsoft(mailbox), fields | {"client_secret": secrets["client_secret"]}
    assertion = {"client_assertion_type": ASSERTION, "client_assertion": _assertion(mailbox, secrets)}
    return _microsoft(mailbox), fields | assertion


def _assertion(mailbox: Mailbox, secrets: dict) -> str:
    """A token that is signed with the key of the certificate, which stands in the same PEM."""
    pem, now = secrets.get("private_key", ""), int(time.time())
    claims = {"aud": _microsoft(mailbox), "iss": mailbox.client_id, "sub": mailbox.client_id}
    claims |= {"jti": str(uuid.uuid4()), "iat": now, "nbf": now - 60, "exp": now + 600}
    try:
        thumbprint = load_pem_x509_certificate(pem.encode()).fingerprint(SHA256())
        x5t = urlsafe_b64encode(thumbprint).rstrip(b"=").decode("ascii")
        return jwt.encode(claims, pem, algorithm="PS256", headers={"x5t#S256": x5t})
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise TokenRefused(_("The certificate or its key can't be read.")) from error


def _of_microsoft_person(mailbox: Mailbox, secrets: dict) -> tuple[str, dict]:
    return _microsoft(mailbox), _refresh(mailbox, secrets) | {"scope": scope_of_person(mailbox)}


def _of_google_app(mailbox: Mailbox, secrets: dict) -> tuple[str, dict]:
    return settings.GOOGLE_TOKEN_URL, _refresh(mailbox, secrets)


def _refresh(mailbox: Mailbox, secrets: dict) -> dict[str, str]:
    if "refresh_token" not in secrets:
        raise TokenRefused(_("This mailbox is not connected yet."))
    fields = {"grant_type": "refresh_token", "client_id": mailbox.client_id}
    fields["refresh_token"] = secrets["refresh_token"]
    return fields | ({"client_secret": secrets["client_secret"]} if secrets.get("client_secret") else {})


def _of_google_service(mailbox: Mailbox, secrets: dict) -> tuple[str, dict]:
    """A service account that acts for the mailbox (domain-wide delegation). Its address is the client ID."""
    now = int(time.time())
    claims = {"iss": mailbox.client_id, "sub": mailbox.user or mailbox.address, "scope": GOOGLE_MAIL}
    claims |= {"aud": settings.GOOGLE_TOKEN_URL, "iat": now, "exp": now + AN_HOUR}
    try:
        assertion = jwt.encode(claims, secrets.get("private_key", ""), algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise TokenRefused(_("The key of the service account can't be read.")) from error
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    return settings.GOOGLE_TOKEN_URL, {"grant_type": grant, "assertion": assertion}


REQUESTS = {
    Auth.MICROSOFT_APP: _of_microsoft_app,
    Auth.MICROSOFT_PERSON: _of_microsoft_person,
    Auth.GOOGLE_APP: _of_google_app,
    Auth.GOOGLE_SERVICE: _of_google_service,
}
