from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0111_macro_waits_for")]

    operations = [
        migrations.AddField(
            model_name="watcher",
            name="as_staff",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="The person worked on tickets when this began. It counts only while that is so.",
                verbose_name="as staff",
            ),
        ),
    ]
