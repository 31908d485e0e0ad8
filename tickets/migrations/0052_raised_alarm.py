from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0051_outbox_pause"),
    ]

    operations = [
        migrations.CreateModel(
            name="RaisedAlarm",
            fields=[
                (
                    "name",
                    models.CharField(max_length=30, primary_key=True, serialize=False, verbose_name="alarm"),
                ),
            ],
            options={
                "verbose_name": "raised alarm",
                "verbose_name_plural": "raised alarms",
                "ordering": ["name"],
            },
        ),
    ]
