from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_lines_hide_nothing")]

    operations = [
        migrations.AddField(
            "user", name, models.TextField(blank=True, db_default="", default="", editable=False)
        )
        for name in ("name_words", "department_words")
    ]
