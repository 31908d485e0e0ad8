from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0008_mail_both_ways")]

    operations = [
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["provider_id"], name="notification_by_provider_id"),
        ),
    ]
