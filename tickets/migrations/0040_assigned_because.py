from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0038_not_fixed_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="assigned_because",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="A code of Because; empty: somebody chose the assignee.",
                max_length=60,
                verbose_name="why this assignee",
            ),
        ),
    ]
