"""Which mail a mail answers, so that it is found when that mail comes later."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0085_trimmed_text"),
    ]

    operations = [
        migrations.AddField(
            model_name="inboundemail",
            name="answers",
            field=models.CharField(blank=True, editable=False, max_length=255, verbose_name="answers"),
        ),
        migrations.AddIndex(
            model_name="inboundemail",
            index=models.Index(
                condition=models.Q(("answers", ""), _negated=True),
                fields=["answers"],
                name="inbound_by_answered",
            ),
        ),
    ]
