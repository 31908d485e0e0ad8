"""Outgoing and incoming email, webhooks and alarms."""

from email.utils import formataddr
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from helpdesk import env
from helpdesk.settings.mode import IS_LOCAL, SITE_NAME, SITE_URL

# The services that Anymail sends by. Each needs settings of its own: ANYMAIL_<NAME>.
_SERVICES = frozenset(
    {
        *("amazon_ses", "brevo", "mailersend", "mailjet", "mailtrap", "mandrill", "postal", "postmark"),
        *("resend", "scaleway", "sendgrid", "sparkpost", "unisender_go"),
    }
)
# One mailbox, which the environment describes (helpdesk.settings.mailbox).
_MAILBOX_PROVIDERS = frozenset({"smtp", "microsoft", "google"})

MAILGUN_API_KEY = env.text("MAILGUN_API_KEY")
MAILGUN_DOMAIN = env.text("MAILGUN_DOMAIN")
MAIL_PROVIDER = env.one_of(
    "MAIL_PROVIDER",
    {"mailgun", "console", "admin"} | _MAILBOX_PROVIDERS | _SERVICES,
    "mailgun" if MAILGUN_API_KEY or MAILGUN_DOMAIN else "console",
)
if bool(MAILGUN_API_KEY) != bool(MAILGUN_DOMAIN) or (MAIL_PROVIDER == "mailgun" and not MAILGUN_API_KEY):
    missing = "MAILGUN_DOMAIN" if MAILGUN_API_KEY else "MAILGUN_API_KEY"
    raise ImproperlyConfigured(f"{missing} is missing: Mailgun needs the key and the domain.")
HAS_MAIL_PROVIDER = MAIL_PROVIDER != "console"
# Whether emails can leave without a mailbox of the admin or the environment.
SENDS_WITHOUT_MAILBOX = MAIL_PROVIDER in {"mailgun", "console"} | _SERVICES
if not IS_LOCAL and not HAS_MAIL_PROVIDER and not env.flag("ALLOW_CONSOLE_MAIL"):
    raise ImproperlyConfigured(
        "MAILGUN_API_KEY is missing: without it nobody gets an email, unless MAIL_PROVIDER says how. "
        "ALLOW_CONSOLE_MAIL=1 prints emails to the log instead."
    )
EMAIL_BACKEND = (
    f"anymail.backends.{MAIL_PROVIDER}.EmailBackend"
    if MAIL_PROVIDER in {"mailgun"} | _SERVICES
    else "django.core.mail.backends.console.EmailBackend"
)
ANYMAIL = {
    **env.prefixed("ANYMAIL_"),
    "MAILGUN_API_KEY": MAILGUN_API_KEY,
    "MAILGUN_SENDER_DOMAIN": MAILGUN_DOMAIN,
    "MAILGUN_API_URL": env.text("MAILGUN_API_URL", "https://api.mailgun.net/v3"),
    "REQUESTS_TIMEOUT": (3, 7),  # seconds to connect, seconds to read
}
MAIL_ADDRESS = env.address("MAIL_ADDRESS")
MAIL_SENDER_NAME = env.text("MAIL_SENDER_NAME", SITE_NAME)
if MAIL_PROVIDER in _MAILBOX_PROVIDERS | _SERVICES and not MAIL_ADDRESS:
    raise ImproperlyConfigured("MAIL_ADDRESS is missing: it is the address that emails are sent from.")
# Where mailboxes get their tokens and reach Microsoft Graph. Other than these only for a national cloud.
MICROSOFT_LOGIN_URL = env.origin("MICROSOFT_LOGIN_URL", "https://login.microsoftonline.com")
MICROSOFT_GRAPH_URL = env.text("MICROSOFT_GRAPH_URL", "https://graph.microsoft.com/v1.0")
GOOGLE_LOGIN_URL = "https://accounts.google.com/o/oauth2/v2/auth"
GOOGLE_TOKEN_URL = env.text("GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token")
# Incoming email: the domain whose messages Mailgun posts here, or a mail server pipes to receive_mail.
INBOUND_DOMAIN = env.text("INBOUND_DOMAIN").lower()
MAILGUN_WEBHOOK_SECRET = env.text("MAILGUN_WEBHOOK_SECRET")
MAILGUN_WEBHOOK_SECRET_FALLBACKS = env.words("MAILGUN_WEBHOOK_SECRET_FALLBACKS")
if MAIL_PROVIDER == "mailgun" and INBOUND_DOMAIN and not MAILGUN_WEBHOOK_SECRET:
    raise ImproperlyConfigured("MAILGUN_WEBHOOK_SECRET is missing: it verifies incoming email from Mailgun.")
if MAILGUN_WEBHOOK_SECRET_FALLBACKS and not MAILGUN_WEBHOOK_SECRET:
    raise ImproperlyConfigured(
        "MAILGUN_WEBHOOK_SECRET is missing: MAILGUN_WEBHOOK_SECRET_FALLBACKS only holds the key before it."
    )
# The authserv-id whose Authentication-Results receive_mail trusts (RFC 8601): the one of your mail server.
INBOUND_AUTHSERV_ID = env.text("INBOUND_AUTHSERV_ID").lower()
# Whether [#42] in the subject of a verified sender is enough to find the ticket, in emails of a mailbox.
SUBJECT_ANSWERS = env.flag("SUBJECT_ANSWERS", default=True)
# What becomes of the first email from an address in SIGNUP_EMAIL_DOMAINS without an account: it waits for
# review (off), waits for one click (ask), or makes an account and a ticket (on).
FIRST_CONTACT = env.one_of("FIRST_CONTACT", {"off", "ask", "on"}, "off")
# Alarms about email; 0 is off. The canary is an email that the helpdesk sends to itself every hour.
MAIL_SILENCE_HOURS = env.number("MAIL_SILENCE_HOURS", 24)
INBOUND_SILENCE_HOURS = env.number("INBOUND_SILENCE_HOURS", 0)
MAIL_FETCH_SECONDS = env.number("MAIL_FETCH_SECONDS", 30)
MAIL_CANARY = env.flag("MAIL_CANARY")
if MAIL_CANARY and not (HAS_MAIL_PROVIDER and (INBOUND_DOMAIN or not SENDS_WITHOUT_MAILBOX)):
    raise ImproperlyConfigured("MAIL_CANARY goes out and in: it needs INBOUND_DOMAIN or a mailbox.")
DEFAULT_FROM_EMAIL = (
    formataddr((MAIL_SENDER_NAME, MAIL_ADDRESS))
    if MAIL_ADDRESS
    else env.email("MAILGUN_SENDER", formataddr((SITE_NAME, f"helpdesk@{MAILGUN_DOMAIN or 'localhost'}")))
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# The domain of generated Message-IDs. It must be ours and stay the same.
MESSAGE_ID_DOMAIN = MAILGUN_DOMAIN or MAIL_ADDRESS.rpartition("@")[2] or urlsplit(SITE_URL).hostname
