from django.db import connection


def lift_time_limits() -> None:
    """Removes the timeouts of settings.DATABASES for a long command or an index over a million rows."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")


def restore_time_limits() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout; RESET idle_in_transaction_session_timeout")
