"""The client's IP address, according to our own proxies (TRUSTED_PROXIES)."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def forwarded_for(request: HttpRequest) -> str:
    """The entry of X-Forwarded-For that the outermost trusted proxy added; "" if there is none.

    The client may have forged the entries before it. The entry may be something else than an IP address.
    """
    entries = request.headers.get("X-Forwarded-For", "").split(",")
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    return entries[-proxies].strip() if 0 < proxies <= len(entries) else ""


def plain_ip(text: str) -> str:
    """The IP address in `text`, without port, brackets and zone; "" if there is none.

    Converts an IPv4-mapped IPv6 address to IPv4 (RFC 4291, 2.5.5.2), so that one machine has one spelling.
    """
    text = text.strip().removeprefix("[")
    host = text.partition("]")[0] if "]" in text else text
    if host.count(":") == 1:  # IPv4 with a port
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)
