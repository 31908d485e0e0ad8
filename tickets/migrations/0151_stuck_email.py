from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0150_mailbox_with_waiting_emails")]

    operations = [
        migrations.AddField(
            model_name="mailboxstate",
            name="stuck_place",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Its place, as in an arrival.",
                max_length=255,
                verbose_name="email that can't be read",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="mailboxstate",
            name="stuck_rounds",
            field=models.PositiveSmallIntegerField(default=0, verbose_name="rounds that it has ended"),
        ),
    ]
