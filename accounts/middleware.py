from datetime import timedelta

from django.conf import settings
from django.contrib.auth import logout
from django.urls import reverse
from django.utils import timezone

from accounts import actor


class ActorMiddleware:
    """Sets the actor of the request. The user is read only if something is logged."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.admin_root = reverse("admin:index")

    def __call__(self, request):
        source = actor.ADMIN if request.path.startswith(self.admin_root) else actor.WEB
        token = actor.enter(actor.ActorContext(find_user=lambda: request.user, source=source))
        try:
            return self.get_response(request)
        finally:
            actor.leave(token)


class SessionAgeMiddleware:
    """Ends idle sessions and renews active ones.

    The limit is STAFF_IDLE for staff. For others it is SESSION_COOKIE_AGE, when the session's row expires. A
    session is saved at most once per RENEW_AFTER. Background requests of a page (static/js/live.js) do not
    renew it.
    """

    STAFF_IDLE = timedelta(hours=8)
    RENEW_AFTER = timedelta(minutes=5)

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # A visitor without a session costs no query here.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            self._look_at(request)
        return self.get_response(request)

    def _look_at(self, request) -> None:
        idle = request.session.idle
        if idle > self.STAFF_IDLE and request.user.is_staff:
            self._end(request)
        elif idle < self.RENEW_AFTER or "X-Asks-By-Itself" in request.headers:
            return
        elif request.user.may_be_mailed:
            request.session.modified = True
        else:  # an email provider was added, so the person must confirm the address at the next login
            self._end(request)

    @staticmethod
    def _end(request) -> None:
        logout(request)
        request.session.is_left = False


class TimeZoneMiddleware:
    """Shows times in the reader's time zone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # A visitor without a session costs no query here.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(request.user.zone):
            return self.get_response(request)
