"""Health checks for a platform: /healthz (the process is up) and /readyz (it can serve)."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from helpdesk import clock
from helpdesk.forwarded import forwarded_for
from tickets.files import probe
from tickets.mail import alarms, pause
from tickets.models import OutboxPause

OWN_NETWORKS = [
    ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
]
# Headers that a proxy adds. With them REMOTE_ADDR may be the proxy's address instead of the client's.
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")

# Reasons of a pause that /readyz reports. Throttling is normal and not reported.
ALARMING = (OutboxPause.Reason.REFUSED, OutboxPause.Reason.SILENT, OutboxPause.Reason.BREAKER)
PARTS = ("database", "migrations", "outbox", "mail", "jobs", "attachments")


@login_not_required
@never_cache
@require_safe
def alive(request):
    """Answers 200 as long as the process runs. Does not query the database."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def ready(request):
    """Answers 503 if no page can work: the database is down, or migrations are missing.

    Other problems are reported with status 200, because a restart of the web processes would not solve
    them: an outbox that is not sent ("old"), a provider that rejects the key ("refused") or does not answer
    ("silent"), timed jobs that no worker runs ("late"), and an attachment storage that fails.
    """
    state = dict.fromkeys(PARTS, "ok")
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            state["migrations"] = "missing"
        elif may_see_reasons(request):
            now, reason = clock.now(), pause.reason()
            state["outbox"] = "old" if alarms.outbox_is_old(now) else "ok"
            state["mail"] = reason if reason in ALARMING else "ok"
            state["jobs"] = "late" if alarms.jobs_are_late(now) else "ok"
            state["attachments"] = probe.latest().state
    except (DatabaseError, InterfaceError):
        state = dict.fromkeys(state, "unknown") | {"database": "down"}
    can_serve = state["database"] == state["migrations"] == "ok"
    status = 200 if can_serve else 503
    if may_see_reasons(request):
        return JsonResponse(state, status=status)
    return HttpResponse("ok" if can_serve else "not ready", content_type="text/plain", status=status)


def may_see_reasons(request: HttpRequest) -> bool:
    """Whether the request comes from a private network or has READYZ_TOKEN."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    is_bearer = settings.READYZ_TOKEN and scheme.lower() == "bearer"
    if is_bearer and constant_time_compare(token.strip(), settings.READYZ_TOKEN):
        return True
    address = visitor_address(request)
    return address is not None and any(address in network for network in OWN_NETWORKS)


def visitor_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """The client's IP address according to our own proxies; None if it is not certain.

    allauth's function falls back to the proxy's address, which would let every client in.
    """
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        text = forwarded_for(request)
    else:
        is_forwarded = any(name in request.headers for name in FORWARDED)
        text = "" if is_forwarded else request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
