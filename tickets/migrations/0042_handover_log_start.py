from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0057_discarded_file"),
    ]

    operations = [
        migrations.AddField(
            model_name="handover",
            name="log_start",
            field=models.PositiveBigIntegerField(
                default=0,
                editable=False,
                help_text="The last row of the activity log when it was asked for.",
            ),
        ),
    ]
