from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0071_pictures_of_before"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobRun",
            fields=[
                (
                    "name",
                    models.CharField(max_length=60, primary_key=True, serialize=False, verbose_name="job"),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="While the job runs: when its worker is taken for dead.", verbose_name="due"
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="last start")),
            ],
            options={
                "verbose_name": "timed job",
                "verbose_name_plural": "timed jobs",
                "ordering": ["name"],
            },
        ),
    ]
