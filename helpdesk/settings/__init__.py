"""All settings, one module for each subject. Values come from the environment, through helpdesk.env alone.

ALLOWED_HOSTS decides between two modes (helpdesk.settings.mode). Local mode answers this machine only and
needs no configuration: SQLite, emails on the console, a generated key, plain HTTP. Production mode does not
start while a required value is missing. README, "Configuration", lists all values.
"""

from helpdesk.settings.accounts import *  # noqa: F403
from helpdesk.settings.applications import *  # noqa: F403
from helpdesk.settings.database import *  # noqa: F403
from helpdesk.settings.email import *  # noqa: F403
from helpdesk.settings.files import *  # noqa: F403
from helpdesk.settings.language import *  # noqa: F403
from helpdesk.settings.mailbox import *  # noqa: F403
from helpdesk.settings.mode import *  # noqa: F403
from helpdesk.settings.security import *  # noqa: F403
from helpdesk.settings.tickets import *  # noqa: F403
