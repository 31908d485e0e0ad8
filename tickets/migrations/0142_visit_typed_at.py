from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0141_comment_not_emailed")]

    operations = [
        migrations.AddField(
            model_name="visit",
            name="typed_at",
            field=models.DateTimeField(null=True, verbose_name="last typed a reply"),
        ),
    ]
