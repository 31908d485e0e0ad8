"""Selects the module for the database in use. No other module of search reads the database's name."""

from types import ModuleType

from django.db import connection

from tickets.search import postgresql, sqlite

MODULES = {"postgresql": postgresql, "sqlite": sqlite}


def database() -> ModuleType:
    return MODULES[connection.vendor]
