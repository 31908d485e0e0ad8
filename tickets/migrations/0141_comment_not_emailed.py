from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0140_weekly_report")]

    operations = [
        migrations.AddField(
            model_name="comment",
            name="not_emailed",
            field=models.JSONField(
                editable=False,
                help_text="Primary keys of the people whom the author left out. They see it on the page.",
                null=True,
                verbose_name="not emailed",
            ),
        ),
    ]
