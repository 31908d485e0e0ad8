"""Saved views of before hold positions of columns; the migration names them, and back."""

from importlib import import_module

import pytest
from django.apps import apps

from tickets.models import SavedView

pytestmark = pytest.mark.django_db
migration = import_module("tickets.migrations.0134_orders_by_name")


def kept(query: str) -> SavedView:
    return SavedView.objects.create(name="A", query=query)


@pytest.mark.parametrize(
    ("before", "after", "back"),
    [
        ("who=mine&o=8", "who=mine&sort=age", "who=mine&o=8"),
        ("o=-8", "sort=-age", "o=-8"),
        ("o=8.-2&who=all", "who=all&sort=age", "who=all&o=8"),
        ("q=paper&sort=best&o=-9", "q=paper&sort=-age", "q=paper&o=-9"),
        ("q=paper&sort=best", "q=paper&sort=best", "q=paper&sort=best"),
        ("o=77&tag=5", "o=77&tag=5", "o=77&tag=5"),
        ("who=mine", "who=mine", "who=mine"),
        ("q=foo%3D1&o=", "q=foo%3D1&o=", "q=foo%3D1&o="),
    ],
)
def test_orders_are_named_and_numbered_again(before, after, back):
    view = kept(before)
    migration.name_orders(apps, None)
    view.refresh_from_db()
    assert view.query == after
    migration.number_orders(apps, None)
    view.refresh_from_db()
    assert view.query == back


def test_view_that_would_become_too_long_is_kept_as_it_is():
    view = kept(f"o=8&q={'x' * 492}")
    migration.name_orders(apps, None)
    view.refresh_from_db()
    assert view.query.startswith("o=8&q=x")
