"""Accounts: passwords, login, sign-up and rate limits (django-allauth)."""

from django.core.exceptions import ImproperlyConfigured

from helpdesk import env
from helpdesk.settings.email import HAS_MAIL_PROVIDER

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
# Who may sign up: nobody, addresses in these domains, or everybody. The domains also limit new addresses.
SIGNUP_EMAIL_DOMAINS = env.domains("SIGNUP_EMAIL_DOMAINS")
SIGNUP = env.one_of("SIGNUP", {"closed", "domains", "open"}, "domains" if SIGNUP_EMAIL_DOMAINS else "open")
if SIGNUP == "domains" and not SIGNUP_EMAIL_DOMAINS:
    raise ImproperlyConfigured("SIGNUP_EMAIL_DOMAINS is missing: SIGNUP=domains lets its people sign up.")
if SIGNUP == "open" and SIGNUP_EMAIL_DOMAINS:
    raise ImproperlyConfigured(
        "SIGNUP=open lets everybody sign up, so SIGNUP_EMAIL_DOMAINS must be empty. Or set SIGNUP=domains."
    )

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
# The key of login_failed is the email address with the IP address (accounts.adapter), so that a stranger
# can't lock somebody out. After four failures in fifteen minutes the next attempt is refused.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "100/h/ip,4/15m/key",
    "signup": "20/m/ip,100/h/ip",
    # Above these limits the page stays the same, but no email is sent (accounts.forms.PasswordResetForm).
    "reset_password": "",
    "reset_mail": "10/h/ip,3/h/key",
    # Drafts of forms whose session has ended (tickets.views.drafts)
    "visitor_draft": "30/h/ip",
    # Attempts to add a watcher by an unknown address (tickets.views.conversation)
    "unknown_watcher": "10/h/user",
}
