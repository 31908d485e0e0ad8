"""Triggers of the table of tickets. They write a StaleMoment for each day whose figures change.

In the database, because imports, merges, updates without save() and raw SQL change figures too. SQLite drops
the triggers of a table that a migration alters, so post_migrate creates them again (tickets.signals).
"""

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "tickets_stalemoment"
MOMENTS = ("created_at", "done_at", "first_replied_at")
# What the figures of a ticket depend on. The assignee counts once the ticket is solved.
COUNTED = (*MOMENTS, "category_id", "priority", "merged_into_id")
OF_SOLVED = ("assignee_id",)


def create(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        for statement in _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE:
            cursor.execute(statement)


def drop(connection: BaseDatabaseWrapper) -> None:
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for name in ("added", "changed", "gone"):
            cursor.execute(
                f"DROP TRIGGER IF EXISTS stale_moment_{name}{' ON tickets_ticket' if is_postgresql else ''}"
            )
        if is_postgresql:
            cursor.execute("DROP FUNCTION tickets_note_stale_moments()")


def restore(connection: BaseDatabaseWrapper) -> None:
    """Creates what is missing, if the database has the table."""
    if TABLE in connection.introspection.table_names():
        create(connection)


def _changes(differs: str) -> str:
    """A condition: the figures of the ticket change. `differs` is the operator of the database."""
    counted = " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in COUNTED)
    of_solved = " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in OF_SOLVED)
    return f"{counted} OR (NEW.done_at IS NOT NULL AND ({of_solved}))"


def _insert(*rows: str) -> str:
    moments = " UNION ".join(f"SELECT {row}.{name} AS at" for row in rows for name in MOMENTS)
    return f"INSERT INTO {TABLE} (at) SELECT at FROM ({moments}) AS moments WHERE at IS NOT NULL;"  # noqa: S608


_EVENTS = {
    "added": ("INSERT", "", ("NEW",)),
    "changed": (f"UPDATE OF {', '.join(COUNTED + OF_SOLVED)}", "WHEN ({changes}) ", ("OLD", "NEW")),
    "gone": ("DELETE", "", ("OLD",)),
}
_SQLITE = [
    f"CREATE TRIGGER IF NOT EXISTS stale_moment_{name} AFTER {event} ON tickets_ticket "
    f"{when.format(changes=_changes('IS NOT'))}BEGIN {_insert(*rows)} END"
    for name, (event, when, rows) in _EVENTS.items()
]
# NEW is null in DELETE, and OLD in INSERT.
_POSTGRESQL = [
    "CREATE OR REPLACE FUNCTION tickets_note_stale_moments() RETURNS trigger LANGUAGE plpgsql AS $$ "
    f"BEGIN {_insert('OLD', 'NEW')} RETURN NULL; END $$",
    *(
        f"CREATE OR REPLACE TRIGGER stale_moment_{name} AFTER {event} ON tickets_ticket FOR EACH ROW "
        f"{when.format(changes=_changes('IS DISTINCT FROM'))}EXECUTE FUNCTION tickets_note_stale_moments()"
        for name, (event, when, _rows) in _EVENTS.items()
    ),
]
