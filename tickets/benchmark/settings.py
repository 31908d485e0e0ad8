"""The settings of the benchmark's server: those of an installation on this machine, with the yardsticks."""

from helpdesk.settings import *  # noqa: F403
from helpdesk.settings import BASE_DIR, DATABASE, TEMPLATES

ROOT_URLCONF = "tickets.benchmark.urls"
TEMPLATES[0]["DIRS"] = [*TEMPLATES[0]["DIRS"], BASE_DIR / "tickets" / "benchmark" / "templates"]
# One person files all the tickets that are measured.
TICKETS_PER_HOUR = 10_000
# Nothing may fail because a machine is slow.
if DATABASE["ENGINE"] == "django.db.backends.postgresql":
    DATABASE["OPTIONS"]["options"] += (
        " -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
    )
else:
    DATABASE["OPTIONS"]["timeout"] = 300
