from django.db import migrations, models
from django.db.models.functions import Now
from django.utils import timezone


class Migration(migrations.Migration):
    """PostgreSQL adds the column without rewriting the table: the default is the same for all rows."""

    dependencies = [("tickets", "0113_draft_of_any_form")]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="public_at",
            field=models.DateTimeField(
                db_default=Now(),
                default=timezone.now,
                editable=False,
                help_text="When something last changed that the requester may see.",
                verbose_name="last public change",
            ),
        ),
    ]
