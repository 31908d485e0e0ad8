"""The database's clock, which the processes on all machines share."""

from datetime import UTC, datetime

from django.db import connection

# On PostgreSQL CURRENT_TIMESTAMP would be the start of the transaction. SQLite returns UTC as text, in
# milliseconds.
NOW = {
    "postgresql": "SELECT clock_timestamp()",
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
}


def now() -> datetime:
    """The current time by the database's clock, in one query.

    Use it for times that one process writes and another compares (leases, due times, pauses), because the
    clocks of machines differ. Call it as clock.now(), because tests replace it (tickets/tests/conftest.py).
    """
    with connection.cursor() as cursor:
        cursor.execute(NOW[connection.vendor])
        (moment,) = cursor.fetchone()
    if isinstance(moment, str):
        return datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return moment.astimezone(UTC)
