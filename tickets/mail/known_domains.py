"""The domains of the company: rows of the admin and, without a row, the domains of SIGNUP_EMAIL_DOMAINS."""

from django.conf import settings

from tickets.models import KnownDomain
from tickets.models.known_domain import FREE_MAIL

FirstContact = KnownDomain.FirstContact


def find(address: str) -> KnownDomain | None:
    """The known domain of an address: exactly this one, no parent and no subdomain.

    A domain of SIGNUP_EMAIL_DOMAINS is returned unsaved, with FIRST_CONTACT: the settings decide until staff
    add a row.
    """
    domain = address.rpartition("@")[2].lower()
    if not domain or domain in FREE_MAIL:
        return None
    return KnownDomain.objects.filter(domain=domain).first() or of_settings().get(domain)


def of_settings() -> dict[str, KnownDomain]:
    """The domains of SIGNUP_EMAIL_DOMAINS, unsaved. At a free provider anybody can get an address."""
    return {
        domain: KnownDomain(domain=domain, first_contact=settings.FIRST_CONTACT)
        for domain in settings.SIGNUP_EMAIL_DOMAINS
        if domain not in FREE_MAIL
    }
