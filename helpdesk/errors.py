"""The error handlers: pages for 400, 403, 404, 500 and 503."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from tickets.storage.access import StoreUnavailable

RETRY_AFTER = 30  # seconds


def bad_request(request, exception=None):
    return HttpResponse(render_to_string("400.html"), status=400)


def permission_denied(request, exception=None):
    reason = str(exception) if exception and exception.args else ""
    return render(request, "403.html", {"reason": reason}, status=403)


def page_not_found(request, exception=None):
    return render(request, "404.html", status=404)


def server_error(request):
    """Renders without the database, because the database may have failed.

    Answers 503 (RFC 9110, 15.6.4) if the database or the attachment storage fails. Most forms report a
    failed attachment storage themselves.
    """
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError, StoreUnavailable)):
        return HttpResponse(
            render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER)}
        )
    return HttpResponse(render_to_string("500.html"), status=500)
