"""Saved views hold the name of the column that orders them, not its position."""

from django.db import migrations
from django.http import QueryDict

# The queue offered one column: the filing stood at 8, and at 9 beside the passages of a search.
BY_POSITION = {"8": "age", "-8": "-age", "9": "age", "-9": "-age"}
BY_NAME = {"age": "8", "-age": "-8"}
LONGEST = 500


def name_orders(apps, schema_editor):
    """Of several positions only the first counted. What the queue never offered is kept as it is."""
    for view in apps.get_model("tickets", "SavedView").objects.filter(query__contains="o="):
        query = QueryDict(view.query, mutable=True)
        name = BY_POSITION.get(query.get("o", "").partition(".")[0])
        if name:
            del query["o"]
            query["sort"] = name
            save(view, query)


def number_orders(apps, schema_editor):
    """A view of a search has the passages, and with them the filing at 9; 8 is understood there too soon."""
    for view in apps.get_model("tickets", "SavedView").objects.filter(query__contains="sort="):
        query = QueryDict(view.query, mutable=True)
        position = BY_NAME.get(query.get("sort", ""))
        if position:
            del query["sort"]
            query["o"] = position.replace("8", "9") if query.get("q", "").strip() else position
            save(view, query)


def save(view, query):
    """A view that would become too long keeps its position, which is still understood."""
    if len(query.urlencode()) <= LONGEST:
        view.query = query.urlencode()
        view.save(update_fields=["query"])


class Migration(migrations.Migration):
    dependencies = [("tickets", "0133_labels_of_events")]

    operations = [migrations.RunPython(name_orders, number_orders)]
