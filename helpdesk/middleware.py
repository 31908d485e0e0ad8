import re
from functools import wraps

from allauth.account.views import PasswordResetFromKeyView
from django.conf import settings
from django.contrib.messages import get_messages
from django.db import IntegrityError
from django.http import HttpResponse, HttpResponseNotAllowed
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control

from helpdesk.errors import bad_request

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer",
        "microphone", "midi", "payment", "usb", "browsing-topics",
    )
)  # fmt: skip

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
# Each parameter of a Content-Type whose name starts with "charset": the rest of its name, and its value.
CHARSET = re.compile(r"(?:^|[;,\s])charset([^=;]*)=?([^;]*)", re.IGNORECASE)
UTF_8 = {"utf-8", "utf8", '"utf-8"', '"utf8"'}


class SecurityHeadersMiddleware:
    """Sets headers that Django does not set, and forbids caches to store pages of logged-in people."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not response.has_header("Cache-Control"):
            patch_cache_control(response, no_store=True, private=True)
        if self._has_reset_key(request):
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @staticmethod
    def _has_reset_key(request) -> bool:
        """Whether the URL contains the secret key of a password reset.

        allauth redirects it to a URL with the form, which must not have no-referrer: a browser would send
        the form with "Origin: null" (Fetch, 3.2), and the CSRF check rejects that.
        """
        match = request.resolver_match
        is_reset = match is not None and match.view_name == "account_reset_password_from_key"
        return is_reset and match.kwargs["key"] != PasswordResetFromKeyView.reset_url_key


class UploadMiddleware:
    """Tells static/js/uploads.js the address of the next page in a header, instead of a redirect.

    XMLHttpRequest follows redirects by itself: it would load the next page, with its messages, unseen.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if "X-Upload" in request.headers and response.has_header("Location"):
            response.headers["X-Location"] = response.headers["Location"]
            del response.headers["Location"]
            response.status_code = 204
        return response


class ReadableRequestMiddleware:
    """Rejects requests with another charset than UTF-8, for every method.

    Django accepts every Python codec as a charset (hex, rot13, undefined), and then fails to decode the
    request. Browsers send no charset, or UTF-8.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not is_utf8(request.META.get("CONTENT_TYPE", "")):
            return bad_request(request)
        if request.encoding:
            request.encoding = "utf-8"  # Django's form parser accepts this spelling only
        request.parse_file_upload = self._refusing_odd_parts(request.parse_file_upload)
        return self.get_response(request)

    @staticmethod
    def _refusing_odd_parts(parse):
        """Django raises TypeError for a part with incomplete continuations (RFC 2231, 3): a*; a*0*=."""

        @wraps(parse)
        def parse_or_refuse(*args):
            try:
                return parse(*args)
            except TypeError as error:
                raise MultiPartParserError("A part has headers that can't be read.") from error

        return parse_or_refuse


def is_utf8(content_type: str) -> bool:
    """Whether every charset parameter of a Content-Type is UTF-8, written as browsers write it."""
    named = CHARSET.findall(content_type)
    return all(not rest.strip() and value.strip().lower() in UTF_8 for rest, value in named)


class RequestMethodMiddleware:
    """Rejects all other methods. Django's generic views would also accept PUT and DELETE as a POST."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return self.get_response(request)


class RequestSizeMiddleware:
    """Answers 413 before the body is read (RFC 9110, 15.5.14), if Content-Length is too large."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = 0
        if size > settings.REQUEST_MAX_BYTES:
            return HttpResponse(render_to_string("413.html"), status=413)
        return self.get_response(request)


class SecondTryMiddleware:
    """Runs a view again after an IntegrityError, so that a form can report the conflict.

    Two requests may check at once that a row does not exist, and both insert it. A UniqueConstraint rejects
    the second, and its transaction is rolled back. When the view runs again, the form finds the other row and
    shows its own error message, with the typed text.
    """

    TRIES = 2  # the row may be deleted, and another inserted, before the second try

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, IntegrityError):
            return None
        view = request.resolver_match
        for _number in range(self.TRIES):
            # Discard messages of the first try: a deferred constraint fails after the view has added them.
            get_messages(request)._queued_messages.clear()
            try:
                return view.func(request, *view.args, **view.kwargs)
            except IntegrityError:
                continue
        return None  # not a race, but a bug
