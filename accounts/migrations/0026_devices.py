import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0025_first_page"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="devices",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Models, tags, anything that helps. Staff see it beside the person's tickets.",
                max_length=2000,
                validators=[django.core.validators.MaxLengthValidator(2000)],
                verbose_name="devices",
            ),
        ),
    ]
