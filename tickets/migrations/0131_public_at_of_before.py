"""Until now `updated_at` moved only with what the requester may see. Small steps, so no row is locked for long."""

from django.db import migrations, transaction
from django.db.models import F, Max

ROWS = 5000  # of one step


def fill(apps, schema_editor):
    tickets = apps.get_model("tickets", "Ticket")._base_manager.using(schema_editor.connection.alias)
    last = tickets.aggregate(last=Max("pk"))["last"] or 0
    for first in range(1, last + 1, ROWS):
        with transaction.atomic(using=schema_editor.connection.alias):
            tickets.filter(pk__range=(first, first + ROWS - 1)).update(public_at=F("updated_at"))


class Migration(migrations.Migration):
    atomic = False  # each step is a transaction of its own; a migration that stopped halfway begins anew

    dependencies = [("tickets", "0130_ticket_public_at")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
