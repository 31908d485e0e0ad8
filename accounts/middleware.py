from datetime import timedelta

from django.conf import settings
from django.contrib.auth import logout
from django.urls import reverse
from django.utils import timezone

from accounts import actor


class ActorMiddleware:
    """Gives the actor context the request; the user is read only when something is logged."""

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
    """Ends the session of who was away for too long, and lets that of who works go on.

    Staff may be away for STAFF_IDLE, all others for SESSION_COOKIE_AGE: then the session's row has expired.
    Saving a session keeps it alive, which is done at most once in RENEW_AFTER. A request that a page makes by
    itself (static/js/live.js) keeps nobody logged in.
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
        else:  # since mail leaves, the address has to be confirmed at the login first
            self._end(request)

    @staticmethod
    def _end(request) -> None:
        logout(request)
        request.session.is_left = False


class TimeZoneMiddleware:
    """Shows times in the zone of the person who reads."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # A visitor without a session costs no query here.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(request.user.zone):
            return self.get_response(request)
