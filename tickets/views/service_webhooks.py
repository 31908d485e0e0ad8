"""Delivery events of the email services that Anymail knows, other than Mailgun (MAIL_PROVIDER)."""

import hashlib
import logging

from anymail import urls as anymail_urls
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from tickets.views.webhooks import NOT_MAILGUNS, once

logger = logging.getLogger("security")
ENDING = "_tracking_webhook"
# The name of the service -> Anymail's view for its events.
VIEWS = {
    pattern.name.removesuffix(ENDING): pattern.callback.view_class
    for pattern in anymail_urls.urlpatterns
    if pattern.name.endswith(ENDING)
}


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class ServiceTrackingView(View):
    """Takes the events of MAIL_PROVIDER, verified by ANYMAIL_WEBHOOK_SECRET. Each body counts once."""

    http_method_names = ["post"]

    def post(self, request, service):
        is_ours = service == settings.MAIL_PROVIDER and service in VIEWS
        if not is_ours or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
            raise Http404
        try:
            view = VIEWS[service]()
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
