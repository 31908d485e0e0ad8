import os

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")


class Request(WSGIRequest):
    def _set_content_type_params(self, meta):
        """A Content-Type that Django can't take apart says nothing; Django would answer with a bare 500."""
        try:
            super()._set_content_type_params(meta)
        except (LookupError, ValueError):
            self.content_type, self.content_params = "", {}


application = get_wsgi_application()
application.request_class = Request
