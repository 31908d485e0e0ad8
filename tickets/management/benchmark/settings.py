"""The settings of the benchmark's server: those of a local installation, with the reference pages."""

from helpdesk.settings import *  # noqa: F403
from helpdesk.settings import BASE_DIR, DATABASE, TEMPLATES

ROOT_URLCONF = "tickets.management.benchmark.urls"
TEMPLATES[0]["DIRS"] = [*TEMPLATES[0]["DIRS"], BASE_DIR / "tickets/management/benchmark/templates"]
# One person submits all measured tickets.
TICKETS_PER_HOUR = 10_000
# A slow machine must not cause a timeout.
if DATABASE["ENGINE"] == "django.db.backends.postgresql":
    DATABASE["OPTIONS"]["options"] += (
        " -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
    )
else:
    DATABASE["OPTIONS"]["timeout"] = 300
