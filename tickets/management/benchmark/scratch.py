"""Temporary databases with their own names, dropped at the end. No other database is changed."""

import os
from dataclasses import dataclass
from pathlib import Path

import dj_database_url
import psycopg2
from psycopg2 import sql

from tickets.management.benchmark.processes import Failed

SQLITE, POSTGRES = "SQLite", "PostgreSQL"


@dataclass(frozen=True)
class Scratch:
    """`server` is the URL of a database on the same server, for CREATE and DROP DATABASE."""

    vendor: str
    tickets: int
    server: str
    name: str

    @property
    def url(self) -> str:
        return f"sqlite:///{self.name}" if self.vendor == SQLITE else with_name(self.server, self.name)

    def create(self) -> bool:
        """Returns False if it exists from an earlier run with --keep."""
        if self.vendor == SQLITE:
            return not Path(self.name).exists()
        if self._ask(sql.SQL("SELECT 1 FROM pg_database WHERE datname = {}").format(sql.Literal(self.name))):
            return False
        self._ask(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(self._identifier))
        return True

    def drop(self) -> None:
        if self.vendor == SQLITE:
            for end in ("", "-wal", "-shm"):
                Path(f"{self.name}{end}").unlink(missing_ok=True)
        else:
            self._ask(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(self._identifier))

    def version(self) -> str:
        return "" if self.vendor == SQLITE else self._ask("SHOW server_version")[0][0].split()[0]

    @property
    def _identifier(self) -> sql.Identifier:
        return sql.Identifier(self.name)

    def _ask(self, statement) -> list[tuple]:
        try:
            connection = psycopg2.connect(with_name(self.server, "postgres"))
        except psycopg2.OperationalError as error:
            raise Failed(f"The database server can't be asked: {error}") from error
        connection.autocommit = True  # CREATE DATABASE does not work in a transaction
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


def with_name(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    base, mark, query = url.replace("postgresql://", "postgres://", 1).partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}{mark}{query}"


def vendor_of(url: str) -> str:
    """SQLITE or POSTGRES. Raises Failed."""
    try:
        engine = dj_database_url.parse(url)["ENGINE"]
        return {"django.db.backends.sqlite3": SQLITE, "django.db.backends.postgresql": POSTGRES}[engine]
    except (ValueError, KeyError) as error:
        raise Failed("--database takes postgres://user:password@host/name or sqlite://") from error


def scratch(url: str, tickets: int, folder: Path, *, keep: bool) -> Scratch:
    """A database for `tickets` tickets, on the server of `url`. Raises Failed."""
    is_sqlite = vendor_of(url) == SQLITE
    name = f"benchmark_{tickets}" if keep else f"benchmark_{tickets}_{os.getpid()}"
    if is_sqlite:
        return Scratch(SQLITE, tickets, url, str(folder / f"{name}.sqlite3"))
    return Scratch(POSTGRES, tickets, url, name)
