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
# Each parameter of a Content-Type whose name begins with "charset": the rest of its name, and its value.
CHARSET = re.compile(r"(?:^|[;,\s])charset([^=;]*)=?([^;]*)", re.IGNORECASE)
UTF_8 = {"utf-8", "utf8", '"utf-8"', '"utf8"'}


class SecurityHeadersMiddleware:
    """Headers that Django does not set itself; pages of a logged-in person are kept by no cache."""

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
        """Whether the address itself resets a password.

        Not the address with the form, to which the secret one leads: with no-referrer a browser sends the
        form with "Origin: null" (Fetch, 3.2), and the CSRF check refuses that.
        """
        match = request.resolver_match
        is_reset = match is not None and match.view_name == "account_reset_password_from_key"
        return is_reset and match.kwargs["key"] != PasswordResetFromKeyView.reset_url_key


class ReadableRequestMiddleware:
    """Text is UTF-8. What says that it is anything else is refused, whatever the method, and never decoded.

    Django takes every codec of Python for a charset (hex, rot13, undefined), and fails when it reads with it.
    Browsers send no charset, or UTF-8.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not is_utf8(request.META.get("CONTENT_TYPE", "")):
            return bad_request(request)
        if request.encoding:
            request.encoding = "utf-8"  # not by helpdesk.wsgi; Django's form reader knows this spelling alone
        request.parse_file_upload = self._refusing_odd_parts(request.parse_file_upload)
        return self.get_response(request)

    @staticmethod
    def _refusing_odd_parts(parse):
        """Django breaks on a part that numbers only some pieces of a parameter (RFC 2231, 3): a*; a*0*=."""

        @wraps(parse)
        def parse_or_refuse(*args):
            try:
                return parse(*args)
            except TypeError as error:
                raise MultiPartParserError("A part has headers that can't be read.") from error

        return parse_or_refuse


def is_utf8(content_type: str) -> bool:
    """Whether every charset that a Content-Type names is UTF-8, in the one form that browsers write."""
    named = CHARSET.findall(content_type)
    return all(not rest.strip() and value.strip().lower() in UTF_8 for rest, value in named)


class RequestMethodMiddleware:
    """Pages are read and forms are sent. Django's generic views would also take PUT and DELETE as an act."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return self.get_response(request)


class RequestSizeMiddleware:
    """Answers 413 before the body is read (RFC 9110, 15.5.14) where the request says that it is too large."""

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
    """Who is a moment too late gets the answer of somebody who comes later.

    A form looks whether a row is there, and inserts it where it is not. Of two that look at once both insert,
    and the database refuses the second (UniqueConstraint). Its act is rolled back as a whole, so the view is
    asked once more: now the form sees the other row and says so in its own words, with what was typed.
    """

    TRIES = 2  # the row that was in the way may be gone again, and another be there

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, IntegrityError):
            return None
        view = request.resolver_match
        for _number in range(self.TRIES):
            # What the first try said is not true: some constraints are checked at the end of a transaction.
            get_messages(request)._queued_messages.clear()
            try:
                return view.func(request, *view.args, **view.kwargs)
            except IntegrityError:
                continue
        return None  # nobody was faster: a fault of ours
