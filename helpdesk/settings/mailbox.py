"""The one mailbox of MAIL_PROVIDER smtp, microsoft or google, as the fields of tickets.models.Mailbox.

Its secrets stay in the environment; the database never holds them. `tickets.mail.environment` makes the row.
"""

import json
from datetime import date

from django.core.exceptions import ImproperlyConfigured

from helpdesk import env
from helpdesk.settings.email import (
    INBOUND_AUTHSERV_ID,
    MAIL_ADDRESS,
    MAIL_PROVIDER,
    MAIL_SENDER_NAME,
)

_SMTP_PORTS = {"tls": 465, "starttls": 587, "none": 25}
_IMAP_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_MICROSOFT = ("MICROSOFT_TENANT", "MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", "MICROSOFT_CERTIFICATE")
_NEEDS = {
    "smtp": ("SMTP_URL", "IMAP_URL"),
    "microsoft": (*_MICROSOFT, "MICROSOFT_SECRET_EXPIRES"),
    "google": ("GOOGLE_SERVICE_ACCOUNT",),
}


def _smtp() -> dict:
    smtp = env.mail_server("SMTP_URL", "smtp", ports=_SMTP_PORTS)
    if smtp is None:
        raise ImproperlyConfigured("SMTP_URL is missing: it names the server that sends, and its user.")
    fields = {
        "sends_by": "smtp",
        "fetches_by": "no",
        "auth": "password",
        "smtp_host": smtp.host,
        "smtp_port": smtp.port,
        "smtp_security": smtp.security,
        "user": smtp.user,
        "proof": "results" if INBOUND_AUTHSERV_ID else "none",
        "authserv_id": INBOUND_AUTHSERV_ID,
        "secrets": {"password": smtp.password},
    }
    imap = env.mail_server("IMAP_URL", "imap", ports=_IMAP_PORTS)
    if imap is None:
        return fields
    if (imap.user, imap.password) != (smtp.user, smtp.password):
        raise ImproperlyConfigured("SMTP_URL and IMAP_URL must have the same user and password.")
    return fields | {
        "fetches_by": "imap",
        "imap_host": imap.host,
        "imap_port": imap.port,
        "imap_security": imap.security,
        "folder": imap.folder or "INBOX",
    }


def _microsoft() -> dict:
    tenant, client_id, secret, certificate = map(env.text, _MICROSOFT)
    for name, value in (("MICROSOFT_TENANT", tenant), ("MICROSOFT_CLIENT_ID", client_id)):
        if not value:
            raise ImproperlyConfigured(f"{name} is missing: the application in Microsoft Entra has it.")
    if bool(secret) == bool(certificate):
        raise ImproperlyConfigured("Set either MICROSOFT_CLIENT_SECRET or MICROSOFT_CERTIFICATE.")
    return {
        "sends_by": "graph",
        "fetches_by": "graph",
        "auth": "microsoft_app",
        "tenant": tenant,
        "client_id": client_id,
        "proof": "exchange",
        "secret_expires_on": _end_of_secret() if secret else None,
        "secrets": {"client_secret": secret} if secret else {"private_key": certificate},
    }


def _end_of_secret() -> date:
    ends = env.day("MICROSOFT_SECRET_EXPIRES")
    if ends is None:
        why = "a secret of Entra ends after two years at most, and the helpdesk warns before."
        raise ImproperlyConfigured(f"MICROSOFT_SECRET_EXPIRES is missing: {why}")
    return ends


def _google() -> dict:
    account = _service_account()
    return {
        "sends_by": "smtp",
        "fetches_by": "imap",
        "auth": "google_service",
        "smtp_host": "smtp.gmail.com",
        "smtp_port": 465,
        "smtp_security": "tls",
        "imap_host": "imap.gmail.com",
        "imap_port": 993,
        "imap_security": "tls",
        "user": MAIL_ADDRESS,
        "client_id": account["client_email"],
        "proof": "results",
        "authserv_id": "mx.google.com",
        "secrets": {"private_key": account["private_key"]},
    }


def _service_account() -> dict:
    text = env.required("GOOGLE_SERVICE_ACCOUNT", why="it is the JSON key of the service account.")
    try:
        account = json.loads(text)
        return {name: str(account[name]) for name in ("client_email", "private_key")}
    except (ValueError, KeyError, TypeError) as error:
        raise ImproperlyConfigured(
            "GOOGLE_SERVICE_ACCOUNT is not the JSON key of a service account."
        ) from error


def _mailbox() -> dict | None:
    for provider, names in _NEEDS.items():
        foreign = next((name for name in names if provider != MAIL_PROVIDER and env.text(name)), "")
        if foreign:
            raise ImproperlyConfigured(f"{foreign} is set, but MAIL_PROVIDER is not {provider}.")
    describe = {"smtp": _smtp, "microsoft": _microsoft, "google": _google}.get(MAIL_PROVIDER)
    if describe is None:
        return None
    return {"name": MAIL_SENDER_NAME, "address": MAIL_ADDRESS, "sender_name": MAIL_SENDER_NAME, **describe()}


ENVIRONMENT_MAILBOX = _mailbox()
