from django.conf import settings
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
