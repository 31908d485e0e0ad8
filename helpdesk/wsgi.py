import os

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")


class LenientRequest(WSGIRequest):
    def _set_content_type_params(self, meta):
        """Ignores a Content-Type that can't be parsed; Django would answer with a bare 500.

        Ignores its charset too: Django would decode the path with it before any middleware runs.
        ReadableRequestMiddleware rejects every charset except UTF-8.
        """
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, TypeError, ValueError):
            self.content_type, self.content_params = "", {}


application = get_wsgi_application()
application.request_class = LenientRequest
