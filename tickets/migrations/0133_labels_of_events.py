"""The labels of events live in code alone: a new event needs no migration. No SQL."""

from django.db import migrations, models

from tickets.rules import events


class Migration(migrations.Migration):
    dependencies = [("tickets", "0132_requesters_by_public_change")]

    operations = [
        migrations.AlterField(
            model_name="activitylog",
            name="verb",
            field=models.CharField("what", max_length=20, choices=events.choices),
        ),
    ]
