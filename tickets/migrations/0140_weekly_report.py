from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0139_daily_figures")]

    operations = [
        migrations.AddField(
            model_name="mailpreferences",
            name="weekly_report",
            field=models.BooleanField(
                default=False,
                help_text="Every Monday at the time of the daily digest: created, solved and open tickets.",
                verbose_name="Weekly report",
            ),
        ),
        migrations.AddField(
            model_name="mailpreferences",
            name="weekly_report_for",
            field=models.DateField(
                blank=True,
                editable=False,
                help_text="The Monday of the last report that was queued or, if there was none, passed over.",
                null=True,
                verbose_name="last weekly report",
            ),
        ),
    ]
