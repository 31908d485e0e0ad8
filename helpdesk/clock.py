"""The clock that all processes share, on however many machines: the one of the database."""

from datetime import UTC, datetime

from django.db import connection

# Not CURRENT_TIMESTAMP, which is the start of the transaction on PostgreSQL. SQLite answers in UTC, as text,
# to the millisecond.
NOW = {
    "postgresql": "SELECT clock_timestamp()",
    "sqlite": "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
}


def now() -> datetime:
    """The moment by the database's clock, in one query.

    For whatever one process writes and another compares (leases, due times, pauses): clocks of machines
    differ. Call it as clock.now(): tests replace it (tickets/tests/conftest.py).
    """
    with connection.cursor() as cursor:
        cursor.execute(NOW[connection.vendor])
        (moment,) = cursor.fetchone()
    if isinstance(moment, str):
        return datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return moment.astimezone(UTC)
