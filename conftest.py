"""What every test needs. The rooms' own fixtures are in their conftest.py."""

from importlib import import_module

import pytest
from django.apps import apps
from whitenoise.middleware import WhiteNoiseMiddleware


@pytest.fixture(scope="session", autouse=True)
def static_files_are_found_once():
    """Each test client starts the middleware anew, and WhiteNoise would look for all files each time."""
    found = {}

    def find(middleware):
        if not found:
            find_files(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    find_files = WhiteNoiseMiddleware.add_files_from_finders
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find)
        yield


@pytest.fixture(autouse=True)
def first_rows(request):
    """Tests with real commits empty all tables at their end; what the migrations put there comes back.

    (serialized_rollback does not work beside Playwright: its loop gives this thread another connection.)
    """
    marker = request.node.get_closest_marker("django_db")
    needed = {"live_server", "transactional_db"} & set(request.fixturenames)
    if needed or (marker and marker.kwargs.get("transaction")):
        request.getfixturevalue("transactional_db")
    elif marker or "db" in request.fixturenames:
        request.getfixturevalue("db")
    else:
        return
    if not apps.get_model("tickets", "Status").objects.exists():
        import_module("tickets.migrations.0002_first_categories_and_statuses").add(apps, None)
