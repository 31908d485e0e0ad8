"""PostgreSQL and SQLite have a module each, with the same functions; nothing else in search names them."""

import inspect
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tickets.search import postgresql, sqlite
from tickets.search.database import MODULES, database
from tickets.search.matching import Match, Run, Words

PRINTER, PAPER, JAM = Run(("printer",)), Run(("paper", "jam")), Run(("ja",), is_begun=True)


def functions(module) -> dict[str, inspect.Signature]:
    own = inspect.getmembers(module, inspect.isfunction)
    return {
        name: inspect.signature(function)
        for name, function in own
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


def test_both_have_the_same_functions():
    assert functions(postgresql) == functions(sqlite)
    finding = {"document", "query", "fetched", "listed", "among_many", "without"}
    assert functions(sqlite).keys() == finding | {"sampled", "hits", "shared"}


def test_the_database_in_use_decides():
    assert database() is MODULES[connection.vendor]


@pytest.mark.parametrize(
    "path", sorted(Path(settings.BASE_DIR, "tickets/search").glob("*.py")), ids=lambda path: path.stem
)
def test_nothing_else_names_a_database(path):
    words = ("vendor", "tsquery", "tsvector", "tickets_searchindex", "json_each", "unnest")
    found = {word for word in words if word in path.read_text()}
    if path.stem == "database":
        found.remove("vendor")
    assert not found or path.stem in ("postgresql", "sqlite")


def test_document():
    words = Words((("printer", "paper"), (), ("paper",)))
    assert sqlite.document(words) == " _ printer paper _ paper"
    assert postgresql.document(words) == "'printer':2 'paper':3,6"
    assert (sqlite.document(Words()), postgresql.document(Words())) == ("", "")


def test_postgresql_keeps_no_more_places_of_a_word():
    far = Words((("a",) * 300, ("b",) * 20_000))
    first, second = postgresql.document(far).split(" ")
    assert first == "'a':" + ",".join(str(place) for place in range(2, 257))
    assert second.split(":")[1].split(",")[0] == "303"
    assert postgresql.document(Words((("a",) * 20_000, ("b",)))).endswith("'b':16383")


@pytest.mark.parametrize(
    ("match", "for_sqlite", "for_postgresql"),
    [
        (Match(((PRINTER,),)), '("printer")', "(('printer'))"),
        (Match(((PAPER, JAM),)), '("paper jam" OR "ja" *)', "(('paper' <-> 'jam') | ('ja':*))"),
        (
            Match(((PRINTER,), (PAPER,)), (JAM, PRINTER)),
            '(("printer") AND ("paper jam")) NOT ("ja" * OR "printer")',
            "(('printer')) & (('paper' <-> 'jam')) & !('ja':*) & !('printer')",
        ),
    ],
)
def test_query(match, for_sqlite, for_postgresql):
    assert sqlite.query(match) == for_sqlite
    assert postgresql.query(match) == for_postgresql
