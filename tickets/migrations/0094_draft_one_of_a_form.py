from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0093_draft_keys")]

    operations = [
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(fields=["person", "key"], name="draft_one_of_a_form"),
        ),
    ]
