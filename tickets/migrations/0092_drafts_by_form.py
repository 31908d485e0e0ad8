"""A draft belongs to the form in which it is typed, and may be about a ticket that is not filed yet."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

KINDS = [
    ("reply", "reply"),
    ("note", "internal note"),
    ("details", "details"),
    ("ticket", "new ticket"),
    ("on_behalf", "new ticket for somebody"),
]


class Migration(migrations.Migration):
    dependencies = [("tickets", "0052_raised_alarm")]

    operations = [
        migrations.RemoveConstraint(model_name="draft", name="draft_one_of_a_kind"),
        migrations.AddField(
            model_name="draft",
            name="key",
            field=models.UUIDField(default=uuid.uuid4, help_text="Of the form in which it is typed."),
        ),
        migrations.AddField(model_name="draft", name="version", field=models.PositiveIntegerField(default=1)),
        migrations.AddField(
            model_name="draft", name="fields", field=models.JSONField(blank=True, default=dict)
        ),
        migrations.AlterField(
            model_name="draft", name="body", field=models.TextField(blank=True, max_length=20000)
        ),
        migrations.AlterField(
            model_name="draft", name="kind", field=models.CharField(choices=KINDS, max_length=10)
        ),
        migrations.AlterField(
            model_name="draft",
            name="updated_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AlterField(
            model_name="draft",
            name="ticket",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="tickets.ticket",
            ),
        ),
    ]
