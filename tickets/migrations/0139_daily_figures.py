from django.db import migrations, models

from tickets.models import triggers


def create_triggers(apps, schema_editor):
    triggers.create(schema_editor.connection)


def drop_triggers(apps, schema_editor):
    triggers.drop(schema_editor.connection)


class Migration(migrations.Migration):
    """Reads no ticket: the worker, or rebuild_daily_figures, fills the table later."""

    dependencies = [("tickets", "0138_visits_latest_first")]

    operations = [
        migrations.CreateModel(
            name="DailyFigures",
            fields=[
                (
                    "day",
                    models.DateField(
                        help_text="In the helpdesk's time zone.",
                        primary_key=True,
                        serialize=False,
                        verbose_name="day",
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        help_text="The time zone and business hours of the figures.",
                        max_length=150,
                        verbose_name="basis",
                    ),
                ),
                (
                    "counts",
                    models.JSONField(
                        help_text="{created or solved: {category, priority or assignee: {key: tickets}}}",
                        verbose_name="counts",
                    ),
                ),
                ("reply_hours", models.BinaryField(verbose_name="first reply times")),
                ("reply_working", models.BinaryField(verbose_name="first reply times in business hours")),
                ("resolution_hours", models.BinaryField(verbose_name="resolution times")),
                ("resolution_working", models.BinaryField(verbose_name="resolution times in business hours")),
            ],
            options={
                "verbose_name": "daily figures",
                "verbose_name_plural": "daily figures",
                "ordering": ["day"],
            },
        ),
        migrations.CreateModel(
            name="StaleMoment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="time")),
            ],
            options={
                "verbose_name": "change of daily figures",
                "verbose_name_plural": "changes of daily figures",
            },
        ),
        migrations.RunPython(create_triggers, drop_triggers),
    ]
