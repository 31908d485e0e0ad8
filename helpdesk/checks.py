"""Checks of `check --deploy`: settings that are valid one by one, but conflict with each other.

helpdesk.settings rejects missing and invalid values at the start. tickets.apps.HelpdeskAdminConfig registers
the checks.
"""

import re
from email.utils import parseaddr
from urllib.parse import urlsplit

from anymail.exceptions import AnymailConfigurationError
from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.core.mail import get_connection
from django.http.request import validate_host

ANYMAIL_NAME = re.compile(r"ANYMAIL_[A-Z_]+")


def links_lead_here(app_configs, **kwargs):
    """Every link in an email starts with SITE_URL."""
    address = urlsplit(settings.SITE_URL)
    found = []
    if address.scheme != "https":
        hint = "Start it with https://. Otherwise links to reset a password travel unencrypted."
        found.append(Error("SITE_URL is not https.", hint=hint, id="helpdesk.E001"))
    if not validate_host(address.hostname, settings.ALLOWED_HOSTS):
        hint = "Add its host to ALLOWED_HOSTS. Otherwise links in emails show an error page."
        found.append(Error("SITE_URL is not one of the ALLOWED_HOSTS.", hint=hint, id="helpdesk.E002"))
    return found


def proxy_is_known(app_configs, **kwargs):
    """Behind a proxy, only the proxy knows the client's IP address and whether the client uses https."""
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT or not settings.SECURE_SSL_REDIRECT:
        return []
    hint = "Set it to the number of proxies in front. With 0, all clients share one IP address."
    return [Warning("TRUSTED_PROXIES is 0.", hint=hint, id="helpdesk.W001")]


def signup_is_bounded(app_configs, **kwargs):
    """A person with an account can file tickets, and so can make the helpdesk email the staff."""
    if settings.SIGNUP != "open":
        return []
    hint = "Set SIGNUP_EMAIL_DOMAINS to the domains of your company, or SIGNUP=closed and invite people."
    return [Warning("Anyone can sign up.", hint=hint, id="helpdesk.W004")]


def sender_is_ours(app_configs, **kwargs):
    """Mailgun's DKIM signature aligns with senders of its domain and of the parent domain (RFC 7489, 3.1)."""
    if not settings.HAS_MAIL_PROVIDER:
        hint = "Set MAILGUN_API_KEY and MAILGUN_DOMAIN. Without them emails are only printed to the log."
        return [Warning("No email provider is configured.", hint=hint, id="helpdesk.W002")]
    if settings.MAIL_PROVIDER != "mailgun":
        return []
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2].lower()
    domain = settings.MAILGUN_DOMAIN.lower()
    if sender == domain or domain.endswith(f".{sender}"):
        return []
    hint = f"Use an address of {domain} or of its parent domain. Otherwise emails may be treated as spam."
    return [Warning("MAILGUN_SENDER is not an address of MAILGUN_DOMAIN.", hint=hint, id="helpdesk.W003")]


def service_is_set_up(app_configs, **kwargs):
    """Anymail looks for the keys of its service when the first email is sent, which is too late."""
    try:
        get_connection()
    except AnymailConfigurationError as error:
        missing = ANYMAIL_NAME.search(str(error))
        words = f"{missing[0]} is missing." if missing else str(error)
        return [Error(f"MAIL_PROVIDER={settings.MAIL_PROVIDER}: {words}", id="helpdesk.E003")]
    return []


def register_all() -> None:
    for check in (links_lead_here, proxy_is_known, signup_is_bounded, sender_is_ours):
        register(check, Tags.security, deploy=True)
    register(service_is_set_up, Tags.security)
