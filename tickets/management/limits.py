from django.db import connection


def lift_time_limits() -> None:
    """A long command, or an index over a million rows, may take longer than a page.

    The limits of settings.DATABASES don't hold for it.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")


def restore_time_limits() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout; RESET idle_in_transaction_session_timeout")
