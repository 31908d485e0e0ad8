"""Who has a role of staff now, switched off or not, began to watch as staff. What others were is not known."""

from django.db import migrations
from django.db.models import Q

STAFF = ("agent", "supervisor")


def mark(apps, schema_editor):
    people = apps.get_model("accounts", "User").objects.filter(
        Q(is_superuser=True) | Q(groups__name__in=STAFF)
    )
    watchers = apps.get_model("tickets", "Watcher").objects
    watchers.filter(person__in=people.values("pk")).update(as_staff=True)


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0121_watcher_as_staff"),
        ("accounts", "0010_lines_hide_nothing"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop, elidable=True)]
