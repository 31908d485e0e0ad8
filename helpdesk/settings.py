"""All settings, from the environment through helpdesk.env alone (README, "Configuration").

ALLOWED_HOSTS decides which of two modes this is. Without it the helpdesk answers this machine only: SQLite,
mail on the console, a key of its own, plain HTTP. With it the helpdesk is open to others: everything that
production needs must be said, and a missing value stops the start.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import snowballstemmer
from csp.constants import NONE, SELF
from django.contrib.messages import constants as messages
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from helpdesk import env
from tickets import file_types

BASE_DIR = env.BASE_DIR
VAR_DIR = BASE_DIR / "var"
env.load()


# Mode, key, hosts
def local_secret_key(path: Path) -> str:
    """The key of an installation that only this machine can reach: made once and kept beside its database."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(get_random_secret_key())
    return path.read_text(encoding="utf-8")


ALLOWED_HOSTS = env.words("ALLOWED_HOSTS")
IS_LOCAL = not ALLOWED_HOSTS
DEBUG = env.flag("DEBUG")
if IS_LOCAL:
    if env.text("DYNO"):
        raise ImproperlyConfigured("ALLOWED_HOSTS is missing: it names the hosts this helpdesk answers to.")
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    SECRET_KEY = env.text("SECRET_KEY") or local_secret_key(VAR_DIR / "secret_key")
    SITE_URL = env.origin("SITE_URL", "http://localhost:8000")
else:
    if "*" in ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts one by one, not *.")
    if DEBUG:
        raise ImproperlyConfigured("DEBUG must be off where ALLOWED_HOSTS is set: its pages show secrets.")
    SECRET_KEY = env.required("SECRET_KEY", why="it signs sessions and links. Take 50 random characters.")
    env.required("SITE_URL", why="links in mail start with it, like https://helpdesk.example.com.")
    SITE_URL = env.origin("SITE_URL")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")

# Applications
INSTALLED_APPS = [
    "accounts.apps.AccountsConfig",
    "tickets.apps.TicketsConfig",
    "tickets.apps.HelpdeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "anymail",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "heroicons",
    "js_lib_bootstrap5",
]
MIDDLEWARE = [
    # First what adds headers: files, redirects to https and early refusals need them too.
    "helpdesk.middleware.SecurityHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "helpdesk.middleware.ReadableRequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "helpdesk.middleware.RequestMethodMiddleware",
    "helpdesk.middleware.RequestSizeMiddleware",
    "accounts.sessions.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.SessionAgeMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.ActorMiddleware",
    "accounts.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "helpdesk.middleware.SecondTryMiddleware",
]
ROOT_URLCONF = "helpdesk.urls"
WSGI_APPLICATION = "helpdesk.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "helpdesk.context_processors.site",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_FAIL_SILENTLY = False
MESSAGE_TAGS = {messages.ERROR: "danger", messages.DEBUG: "secondary"}

# Database
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if not IS_LOCAL:
    env.required(
        "DATABASE_URL",
        why="it names the database, like postgres://user:password@host/name. "
        "SQLite is allowed when it is asked for: sqlite:////path/helpdesk.sqlite3.",
    )
try:
    DATABASES = {
        "default": dj_database_url.parse(
            env.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'helpdesk.sqlite3'}"), conn_max_age=60
        )
    }
except (ValueError, KeyError) as error:
    raise ImproperlyConfigured(
        "DATABASE_URL must look like postgres://user:password@host/name or sqlite:////path/file."
    ) from error
DATABASE = DATABASES["default"]
if DATABASE["ENGINE"] not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL or an SQLite file.")
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    if env.text("DYNO"):
        raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL: files on this host don't last.")
    VAR_DIR.mkdir(mode=0o700, exist_ok=True)
    # With SQLite's defaults two thirds of 200 simultaneous writers fail; with these none does
    # (../shared/PERFORMANCE.md). IMMEDIATE takes the write lock at the start, where waiting is possible.
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, not memory: the tests use threads and processes that share it.
    DATABASE["TEST"] = {"NAME": VAR_DIR / f"test-{os.getpid()}.sqlite3"}
else:
    DATABASE["CONN_HEALTH_CHECKS"] = True
    # Milliseconds. A page that waits longer than this is broken; long commands set their own. And no page
    # calls helpers: to start them takes longer than to read the few rows that it needs.
    DATABASE.setdefault("OPTIONS", {})["options"] = (
        "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=30000 "
        "-c max_parallel_workers_per_gather=0"
    )

# Cache: rate limits are shared by all processes, so they live in the database.
# Past MAX_ENTRIES some go at random: 300 by default, which a morning's webhooks or logins would pass.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "helpdesk_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # Parts of pages that are the same for everybody, rendered once in each process; while templates are
    # worked on, each time.
    "same_for_all": {
        "BACKEND": f"django.core.cache.backends.{'dummy.DummyCache' if DEBUG else 'locmem.LocMemCache'}",
        "TIMEOUT": None,
    },
}

# Accounts
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.PermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "full_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
# Who may sign up: nobody, people of these domains, everybody. The domains also bound a change of address.
SIGNUP_EMAIL_DOMAINS = env.domains("SIGNUP_EMAIL_DOMAINS")
SIGNUP = env.one_of("SIGNUP", {"closed", "domains", "open"}, "domains" if SIGNUP_EMAIL_DOMAINS else "open")
if SIGNUP == "domains" and not SIGNUP_EMAIL_DOMAINS:
    raise ImproperlyConfigured("SIGNUP_EMAIL_DOMAINS is missing: SIGNUP=domains lets its people sign up.")
if SIGNUP == "open" and SIGNUP_EMAIL_DOMAINS:
    raise ImproperlyConfigured(
        "SIGNUP=open lets everybody sign up, so SIGNUP_EMAIL_DOMAINS must be empty. Or set SIGNUP=domains."
    )

# Mail (before allauth's settings: with a provider, addresses are confirmed)
MAILGUN_API_KEY = env.text("MAILGUN_API_KEY")
MAILGUN_DOMAIN = env.text("MAILGUN_DOMAIN")
if bool(MAILGUN_API_KEY) != bool(MAILGUN_DOMAIN):
    missing = "MAILGUN_DOMAIN" if MAILGUN_API_KEY else "MAILGUN_API_KEY"
    raise ImproperlyConfigured(f"{missing} is missing: Mailgun needs the key and the domain.")
HAS_MAIL_PROVIDER = bool(MAILGUN_API_KEY)
if not IS_LOCAL and not HAS_MAIL_PROVIDER and not env.flag("ALLOW_CONSOLE_MAIL"):
    raise ImproperlyConfigured(
        "MAILGUN_API_KEY is missing: without it nobody gets mail. "
        "ALLOW_CONSOLE_MAIL=1 prints mail to the log instead."
    )
EMAIL_BACKEND = (
    "anymail.backends.mailgun.EmailBackend"
    if HAS_MAIL_PROVIDER
    else "django.core.mail.backends.console.EmailBackend"
)
ANYMAIL = {
    "MAILGUN_API_KEY": MAILGUN_API_KEY,
    "MAILGUN_SENDER_DOMAIN": MAILGUN_DOMAIN,
    "MAILGUN_API_URL": env.text("MAILGUN_API_URL", "https://api.mailgun.net/v3"),
    "REQUESTS_TIMEOUT": (3, 7),  # seconds to connect, seconds to read
}
# Mail that comes in: the domain whose mail Mailgun posts here or a mail server pipes to receive_mail.
INBOUND_DOMAIN = env.text("INBOUND_DOMAIN").lower()
MAILGUN_WEBHOOK_SECRET = env.text("MAILGUN_WEBHOOK_SECRET")
MAILGUN_WEBHOOK_SECRET_FALLBACKS = env.words("MAILGUN_WEBHOOK_SECRET_FALLBACKS")
if HAS_MAIL_PROVIDER and INBOUND_DOMAIN and not MAILGUN_WEBHOOK_SECRET:
    raise ImproperlyConfigured(
        "MAILGUN_WEBHOOK_SECRET is missing: it proves that mail which comes in is from Mailgun."
    )
if MAILGUN_WEBHOOK_SECRET_FALLBACKS and not MAILGUN_WEBHOOK_SECRET:
    raise ImproperlyConfigured(
        "MAILGUN_WEBHOOK_SECRET is missing: MAILGUN_WEBHOOK_SECRET_FALLBACKS only holds the key before it."
    )
# Whose Authentication-Results count for receive_mail (RFC 8601): the name that your mail server gives itself.
INBOUND_AUTHSERV_ID = env.text("INBOUND_AUTHSERV_ID").lower()
# Alarms about mail; 0 is off. The canary is a mail that the helpdesk sends to itself every hour.
MAIL_SILENCE_HOURS = env.number("MAIL_SILENCE_HOURS", 24)
INBOUND_SILENCE_HOURS = env.number("INBOUND_SILENCE_HOURS", 0)
MAIL_CANARY = env.flag("MAIL_CANARY")
if MAIL_CANARY and not (HAS_MAIL_PROVIDER and INBOUND_DOMAIN):
    raise ImproperlyConfigured("MAIL_CANARY needs MAILGUN_API_KEY and INBOUND_DOMAIN: it goes out and in.")
DEFAULT_FROM_EMAIL = env.email(
    "MAILGUN_SENDER", f"Helpdesk <helpdesk@{MAILGUN_DOMAIN}>" if MAILGUN_DOMAIN else "helpdesk@localhost"
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Domain of the Message-IDs we make; it only has to be ours and stable.
MESSAGE_ID_DOMAIN = MAILGUN_DOMAIN or urlsplit(SITE_URL).hostname

# django-allauth
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if HAS_MAIL_PROVIDER else "none"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.reset_tokens.ResetTokens"  # noqa: S105 - a class
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "login": "accounts.forms.LoginForm",
    "add_email": "accounts.forms.AddressForm",
    "change_password": "accounts.forms.PasswordChangeForm",
    "set_password": "accounts.forms.PasswordSetForm",
    "reset_password": "accounts.forms.PasswordResetForm",
    "reset_password_from_key": "accounts.forms.PasswordResetKeyForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
# The key of login_failed is the address together with the IP (accounts.adapter): a stranger can't lock
# somebody out. Four failures in fifteen minutes; the fifth try waits.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "100/h/ip,4/15m/key",
    "signup": "20/m/ip,100/h/ip",
    # Past these limits the page stays the same and no mail leaves (accounts.forms.PasswordResetForm).
    "reset_password": "",
    "reset_mail": "10/h/ip,3/h/key",
    # Texts typed into pages whose session had ended (tickets.views.drafts)
    "visitor_draft": "30/h/ip",
    # Addresses of colleagues that nobody has (tickets.views.conversation)
    "unknown_watcher": "10/h/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 0)
# Who sends it reads the reasons at /readyz; the own network does without (helpdesk.health).
READYZ_TOKEN = env.text("READYZ_TOKEN")

# Sessions, cookies, transport
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds without a visit; of staff see accounts.middleware
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "helpdesk.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if not IS_LOCAL:
    CSRF_TRUSTED_ORIGINS = [SITE_URL]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# Sizes: files of one message (../shared/THREATS.md 2.3), and what a request may hold at all
REQUEST_MAX_BYTES = 26 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "tickets.storage.uploads.TolerantUploadHandler",
]
FILE_UPLOAD_PERMISSIONS = 0o600

# Tickets that one person may file in an hour, except staff (tickets.filing_limit)
TICKETS_PER_HOUR = 20

# Files. Attachments have no address of their own: they are served by a view that checks who asks.
STATIC_URL = "static/"
# This machine alone is served from the sources; nothing has to be collected.
STATIC_ROOT = None if IS_LOCAL else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = IS_LOCAL
WHITENOISE_ALLOW_ALL_ORIGINS = False
ATTACHMENT_TYPES = file_types.chosen(env.words("ATTACHMENT_TYPES"))
S3_BUCKET = env.text("S3_BUCKET")
ATTACHMENTS_DIR = Path(env.text("ATTACHMENTS_DIR", str(VAR_DIR / "attachments")))
if not IS_LOCAL and not S3_BUCKET:
    env.required("ATTACHMENTS_DIR", why="it names the folder for attachments. Or set S3_BUCKET.")
    if env.text("DYNO"):
        raise ImproperlyConfigured("S3_BUCKET is missing: files on this host don't last.")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR}},
    "attachments": {
        "BACKEND": "tickets.storage.folder.AttachmentFolder",
        "OPTIONS": {"location": ATTACHMENTS_DIR, "file_permissions_mode": 0o600},
    },
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if IS_LOCAL
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
if S3_BUCKET:
    STORAGES["attachments"] = {
        "BACKEND": "tickets.storage.bucket.AttachmentBucket",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
            "region_name": env.text("S3_REGION") or None,
        },
    }

# Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "tickets" / "locale", BASE_DIR / "accounts" / "locale"]
TIME_ZONE = env.time_zone("DEFAULT_TIME_ZONE", "UTC")
USE_TZ = True
WORKING_DAYS = env.weekdays("WORKING_DAYS", "mon,tue,wed,thu,fri")
WORKING_HOURS = env.hours("WORKING_HOURS", "09:00-17:00")

# Search: "simple" takes words as they are, a language finds their other forms too (tickets.search.words).
SEARCH_LANGUAGE = env.one_of("SEARCH_LANGUAGE", {"simple", *snowballstemmer.algorithms()}, "simple")

# What the about page says
SUPPORT_HOURS = env.text("SUPPORT_HOURS") or _("Monday to Friday, 9:00 to 17:00")
SUPPORT_PHONE = env.text("SUPPORT_PHONE")
SUPPORT_EMAIL = env.email("SUPPORT_EMAIL")

# Logging
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO").upper()},
    "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
