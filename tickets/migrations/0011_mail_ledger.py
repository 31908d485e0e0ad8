from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0010_mail_by_provider_id")]

    operations = [
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["created_at", "id"], name="notification_by_time"),
        ),
    ]
