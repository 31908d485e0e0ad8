"""What `check --deploy` finds in settings that start, but would not serve people well.

What is missing or senseless stops the start (helpdesk.settings); here each value is fine alone and wrong with
another. tickets.apps.HelpdeskAdminConfig registers the checks.
"""

from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.http.request import validate_host


def links_lead_here(app_configs, **kwargs):
    """Every link in a mail starts with SITE_URL."""
    address = urlsplit(settings.SITE_URL)
    found = []
    if address.scheme != "https":
        hint = "Begin it with https://. Links to reset a password would travel unprotected."
        found.append(Error("SITE_URL is not https.", hint=hint, id="helpdesk.E001"))
    if not validate_host(address.hostname, settings.ALLOWED_HOSTS):
        hint = "Add its host to ALLOWED_HOSTS, else every link in a mail is answered with 400."
        found.append(Error("SITE_URL is not one of the ALLOWED_HOSTS.", hint=hint, id="helpdesk.E002"))
    return found


def proxy_is_known(app_configs, **kwargs):
    """Only a proxy can tell that a visitor came by https, and from which address."""
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT or not settings.SECURE_SSL_REDIRECT:
        return []
    hint = "Set it to the number of proxies in front. With 0 all visitors count as one, or get no page."
    return [Warning("TRUSTED_PROXIES is 0.", hint=hint, id="helpdesk.W001")]


def signup_is_bounded(app_configs, **kwargs):
    """Who has an account can file tickets, and so mail the staff."""
    if settings.SIGNUP != "open":
        return []
    hint = "Set SIGNUP_EMAIL_DOMAINS to the domains of your people, or SIGNUP=closed: IT makes the accounts."
    return [Warning("Anybody in the world can sign up.", hint=hint, id="helpdesk.W004")]


def sender_is_ours(app_configs, **kwargs):
    """Mailgun signs for its domain; that holds for senders of it and of the one above (RFC 7489, 3.1)."""
    if not settings.HAS_MAIL_PROVIDER:
        hint = "Set MAILGUN_API_KEY and MAILGUN_DOMAIN. Now mail is printed to the log, and nobody gets it."
        return [Warning("No mail provider is configured.", hint=hint, id="helpdesk.W002")]
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2].lower()
    domain = settings.MAILGUN_DOMAIN.lower()
    if sender == domain or domain.endswith(f".{sender}"):
        return []
    hint = f"Take an address of {domain}, or of the domain above it, else mail is taken for spam."
    return [Warning("MAILGUN_SENDER is not of MAILGUN_DOMAIN.", hint=hint, id="helpdesk.W003")]


def register_all() -> None:
    for check in (links_lead_here, proxy_is_known, signup_is_bounded, sender_is_ours):
        register(check, Tags.security, deploy=True)
