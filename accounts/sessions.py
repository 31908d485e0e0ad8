"""Database sessions with an idle time and with keys that we can recognise as ours."""

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
    is_left = False  # whether the person has logged out
    is_stored = False  # whether its content was saved under a lock, so that the response only sets the cookie

    @property
    def idle(self) -> timedelta:
        """The time since it was last saved; zero for a new session."""
        self._get_session()
        if self.expires_at is None:
            return timedelta()
        return timezone.now() - self.expires_at + timedelta(seconds=self.get_expiry_age())

    def save(self, must_create=False):
        if not self.is_stored:
            super().save(must_create)

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
    """Whether we generated this key. The session may have ended."""
    start, proof = key[:RANDOM], key[RANDOM:]
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(proof, _proof(start, secret)) for secret in secrets)


def _proof(start: str, secret: str) -> str:
    return salted_hmac(SALT, start, secret=secret, algorithm="sha256").hexdigest()[:PROOF]


class SessionMiddleware(DjangoSessionMiddleware):
    """Keeps the cookie of an expired session, which identifies the owner of unsent text."""

    def process_response(self, request, response):
        response = super().process_response(request, response)
        cookie = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie is not None and not cookie.value and not request.session.is_left:
            del response.cookies[settings.SESSION_COOKIE_NAME]
        return response
