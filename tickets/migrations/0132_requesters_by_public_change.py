from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0131_public_at_of_before")]

    operations = [
        migrations.RemoveIndex(model_name="ticket", name="ticket_by_requester"),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                fields=["requester", "-public_at", "-id", "status"], name="ticket_by_requester"
            ),
        ),
    ]
