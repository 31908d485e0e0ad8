from django.db import migrations, models
from django.db.models import Q


def move_to_settings(apps, schema_editor):
    """The one pause was that of the provider of the settings, whose number is 0 now."""
    apps.get_model("tickets", "OutboxPause").objects.filter(number=1).update(number=0)


def move_back(apps, schema_editor):
    apps.get_model("tickets", "OutboxPause").objects.filter(number=0).update(number=1)


def forget_mailboxes(apps, schema_editor):
    """The older table has no place for their pauses, which last an hour at most."""
    pauses = apps.get_model("tickets", "OutboxPause").objects
    pauses.exclude(number=0).delete()
    pauses.filter(reason="breaker").delete()


class Migration(migrations.Migration):
    dependencies = [("tickets", "0146_mail_of_a_mailbox")]

    operations = [
        migrations.RemoveConstraint("outboxpause", "outbox_pause_one_row"),
        migrations.RemoveConstraint("outboxpause", "outbox_pause_reason_known"),
        migrations.RunPython(move_to_settings, move_back),
        migrations.AlterField(
            "outboxpause",
            "number",
            models.PositiveBigIntegerField(primary_key=True, default=0, serialize=False),
        ),
        migrations.AlterField(
            "outboxpause",
            "reason",
            models.CharField(
                blank=True,
                choices=[
                    ("throttled", "The provider asks for a pause."),
                    ("refused", "The provider refuses the key, the account or the domain."),
                    ("silent", "The provider does not respond."),
                    ("breaker", "The provider rejected several emails in a row."),
                ],
                max_length=10,
                verbose_name="reason",
            ),
        ),
        migrations.AddField(
            "outboxpause",
            "rejected",
            models.JSONField(blank=True, default=list, verbose_name="rejected in a row"),
        ),
        migrations.AddField(
            "outboxpause",
            "returned",
            models.JSONField(blank=True, default=list, verbose_name="returned to the outbox"),
        ),
        migrations.AddConstraint(
            "outboxpause",
            models.CheckConstraint(
                condition=Q(reason__in=["", "throttled", "refused", "silent", "breaker"]),
                name="outbox_pause_reason_known",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, forget_mailboxes),  # first on the way back
    ]
