import os

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")


class Request(WSGIRequest):
    def _set_content_type_params(self, meta):
        """A Content-Type that Django can't take apart says nothing; Django would answer with a bare 500.

        No charset is taken from it. All text is UTF-8: ReadableRequestMiddleware refuses what says otherwise,
        but Django would decode the address with the charset before any middleware is asked.
        """
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, TypeError, ValueError):
            self.content_type, self.content_params = "", {}


application = get_wsgi_application()
application.request_class = Request
