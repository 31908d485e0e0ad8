"""Lists ask done_at whether a ticket is done. Until now a status could take its tickets to another phase."""

from django.db import migrations
from django.db.models import F


def follow(apps, schema_editor):
    tickets = apps.get_model("tickets", "Ticket").objects
    tickets.filter(status__phase="done", done_at=None).update(done_at=F("updated_at"))
    tickets.exclude(status__phase="done").exclude(done_at=None).update(done_at=None)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0030_list_indexes")]

    operations = [migrations.RunPython(follow, migrations.RunPython.noop)]
