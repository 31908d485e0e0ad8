"""Where a request comes from, by what our own proxies say (TRUSTED_PROXIES)."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def forwarded_for(request: HttpRequest) -> str:
    """The entry of X-Forwarded-For that the outermost trusted proxy wrote; "" where there is none.

    What stands before it anybody may have written. It need not be an IP address.
    """
    entries = request.headers.get("X-Forwarded-For", "").split(",")
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    return entries[-proxies].strip() if 0 < proxies <= len(entries) else ""


def plain_ip(text: str) -> str:
    """The IP address in `text`, which may have a port, brackets or a zone; "" where there is none.

    One machine has one spelling: an IPv4 address stays one when it is written as IPv6 (RFC 4291, 2.5.5.2).
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
