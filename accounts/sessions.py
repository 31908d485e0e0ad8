"""Sessions in the database. They know how long they were idle, and their keys are known for ours."""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

SALT = "accounts.sessions"
RANDOM, PROOF = 24, 16  # characters of a key; the table has room for 40


class SessionStore(db.SessionStore):
    expires_at = None
    is_left = False  # whether the person ended it, by logging out

    @property
    def idle(self) -> timedelta:
        """Since when it was not saved. Of a new one nothing."""
        self._get_session()
        if self.expires_at is None:
            return timedelta()
        return timezone.now() - self.expires_at + timedelta(seconds=self.get_expiry_age())

    def flush(self):
        super().flush()
        self.is_left = True

    def _get_session_from_db(self):
        row = super()._get_session_from_db()
        self.expires_at = row.expire_date if row else None
        return row

    def _get_new_session_key(self):
        while True:
            start = get_random_string(RANDOM, VALID_KEY_CHARS)
            if not self.exists(key := start + _proof(start, settings.SECRET_KEY)):
                return key


def is_ours(key: str) -> bool:
    """Whether we made this key, for a session that may have ended: nobody else can."""
    start, proof = key[:RANDOM], key[RANDOM:]
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(proof, _proof(start, secret)) for secret in secrets)


def _proof(start: str, secret: str) -> str:
    return salted_hmac(SALT, start, secret=secret, algorithm="sha256").hexdigest()[:PROOF]


class SessionMiddleware(DjangoSessionMiddleware):
    """Leaves the browser the cookie of a session that ended by itself: it says whose typed text to keep."""

    def process_response(self, request, response):
        response = super().process_response(request, response)
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and not cookie.value and not request.session.is_left:
            del response.cookies[settings.SESSION_COOKIE_NAME]
        return response
