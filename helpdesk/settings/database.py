"""The database and the caches."""

import os

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from helpdesk import env
from helpdesk.settings.mode import DEBUG, IS_LOCAL, VAR_DIR

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
    # With SQLite's defaults two thirds of 200 simultaneous writers fail; with these options none does.
    # IMMEDIATE takes the write lock at the start of the transaction, where SQLite can wait for it.
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # The test database is a file, because threads and processes of the tests share it.
    DATABASE["TEST"] = {"NAME": VAR_DIR / f"test-{os.getpid()}.sqlite3"}
else:
    DATABASE["CONN_HEALTH_CHECKS"] = True
    # Timeouts in milliseconds: a page that waits longer is broken. Long commands set their own timeouts.
    # No parallel workers: to start one takes longer than to read the few rows of a page.
    DATABASE.setdefault("OPTIONS", {})["options"] = (
        "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=30000 "
        "-c max_parallel_workers_per_gather=0"
    )

# The default cache is in the database, because all processes share the rate limits.
# A cache with more than MAX_ENTRIES deletes random entries. Django's default of 300 is too small.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "helpdesk_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
    # Page parts that are the same for everybody: rendered once per process, with DEBUG each time.
    "same_for_all": {
        "BACKEND": f"django.core.cache.backends.{'dummy.DummyCache' if DEBUG else 'locmem.LocMemCache'}",
        "TIMEOUT": None,
    },
}
