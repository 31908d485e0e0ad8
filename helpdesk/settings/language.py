"""Language and time zone."""

from django.utils.translation import gettext_lazy as _

from helpdesk import env
from helpdesk.settings.mode import BASE_DIR

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
FORMAT_MODULE_PATH = "helpdesk.formats"
LOCALE_PATHS = [BASE_DIR / "tickets" / "locale", BASE_DIR / "accounts" / "locale"]
TIME_ZONE = env.time_zone("DEFAULT_TIME_ZONE", "UTC")
USE_TZ = True
