"""What a platform asks: does the process live, and can it serve?"""

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
from tickets.models import OutboxPause
from tickets.notifications import alarms, pause
from tickets.storage import probe

OWN_NETWORKS = [
    ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
]
# What a proxy adds to a request. Where we know of none, its address would pass for the visitor's.
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")

# Why all mail may wait: reasons that somebody has to know of. Throttling is everyday.
ALARMING = (OutboxPause.Reason.REFUSED, OutboxPause.Reason.SILENT)
PARTS = ("database", "migrations", "outbox", "mail", "jobs", "attachments")


@login_not_required
@never_cache
@require_safe
def alive(request):
    """200 as long as the process answers. Asks nothing of the database."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def ready(request):
    """503 where no page could work: no database, or migrations are missing.

    An old outbox ("old"), a provider that refuses the key ("refused") or does not answer ("silent"), jobs
    that no worker runs ("late") and an attachment store that fails are named but keep 200: taking the web
    processes away would neither send the mail nor store the files.
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
    """The own network, and whoever has READYZ_TOKEN."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    is_bearer = settings.READYZ_TOKEN and scheme.lower() == "bearer"
    if is_bearer and constant_time_compare(token.strip(), settings.READYZ_TOKEN):
        return True
    address = visitor_address(request)
    return address is not None and any(address in network for network in OWN_NETWORKS)


def visitor_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """The address that the visitor has by what our own proxies say; None where that is not certain.

    allauth's function takes the proxy's address where the proxies say nothing, which would let everybody in.
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
