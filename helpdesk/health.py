"""What a platform asks: does the process live, and can it serve?"""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tickets.notifications import alarms, pause


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

    An old outbox ("old") and a refused key ("refused") are told but keep 200: taking the web processes away
    would not send the mail.
    """
    state = {"database": "ok", "migrations": "ok", "outbox": "ok", "mail": "ok"}
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            state["migrations"] = "missing"
        else:
            state["outbox"] = "old" if alarms.outbox_is_old() else "ok"
            state["mail"] = "refused" if pause.is_refused() else "ok"
    except (DatabaseError, InterfaceError):
        state = {"database": "down", "migrations": "unknown", "outbox": "unknown", "mail": "unknown"}
    can_serve = state["database"] == state["migrations"] == "ok"
    return JsonResponse(state, status=200 if can_serve else 503)
