from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0122_staff_watch_as_staff")]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="place",
            field=models.CharField(blank=True, default="", help_text="The path of the page.", max_length=200),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="draft",
            name="kind",
            field=models.CharField(
                choices=[
                    ("reply", "reply"),
                    ("note", "internal note"),
                    ("details", "details"),
                    ("ticket", "new ticket"),
                    ("form", "form of another page"),
                ],
                max_length=10,
            ),
        ),
    ]
