"""What a platform asks: does the process live, and can it serve?"""

from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tickets.models import Notification

OUTBOX_IS_OLD_AFTER = timedelta(minutes=10)


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

    An old outbox is told ("old") but keeps 200: taking the web processes away would not send the mail.
    """
    state = {"database": "ok", "migrations": "ok", "outbox": "ok"}
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            state["migrations"] = "missing"
        elif Notification.objects.due(timezone.now() - OUTBOX_IS_OLD_AFTER).exists():
            state["outbox"] = "old"
    except (DatabaseError, InterfaceError):
        state = {"database": "down", "migrations": "unknown", "outbox": "unknown"}
    can_serve = state["database"] == state["migrations"] == "ok"
    return JsonResponse(state, status=200 if can_serve else 503)
