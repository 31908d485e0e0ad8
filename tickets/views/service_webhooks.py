"""Delivery events of the email services that Anymail knows, other than Mailgun (MAIL_PROVIDER)."""

import hashlib
import logging
from functools import cache
from importlib import import_module

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from tickets.views.webhooks import NOT_MAILGUNS, once

logger = logging.getLogger("security")
ENDINGS = ("TrackingWebhookView", "CombinedWebhookView")


@cache
def view_of(service: str) -> type | None:
    """Anymail's view for the events of a service; None if it has none.

    Imported when it is needed, because those of all services take 20 MB.
    """
    try:
        module = import_module(f"anymail.webhooks.{service}")
    except ModuleNotFoundError:
        return None
    return next((view for name, view in vars(module).items() if name.endswith(ENDINGS)), None)


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class ServiceTrackingView(View):
    """Takes the events of MAIL_PROVIDER, verified by ANYMAIL_WEBHOOK_SECRET. Each body counts once."""

    http_method_names = ["post"]

    def post(self, request, service):
        is_ours = service == settings.MAIL_PROVIDER and settings.ANYMAIL.get("WEBHOOK_SECRET")
        kind = view_of(service) if is_ours else None
        if kind is None:
            raise Http404
        try:
            view = kind()
            view.setup(request)
            view.run_validators(request)  # raises SuspiciousOperation: 400
            events = list(view.parse_events(request))
        except (*NOT_MAILGUNS, ImproperlyConfigured) as error:
            logger.warning("A post to %s was refused: %s.", request.path, type(error).__name__)
            return HttpResponse(status=400)
        key = f"webhook.{service}.{hashlib.sha256(request.body).hexdigest()}"
        return once(key, lambda: self.tell(view, events))

    def tell(self, view, events: list) -> None:
        for event in events:
            view.signal.send(sender=type(view), event=event, esp_name=view.esp_name)
