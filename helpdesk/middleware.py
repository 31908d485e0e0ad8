from allauth.account.views import PasswordResetFromKeyView
from django.conf import settings
from django.http import HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer",
        "microphone", "midi", "payment", "usb", "browsing-topics",
    )
)  # fmt: skip


METHODS = ("GET", "HEAD", "POST", "OPTIONS")


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
