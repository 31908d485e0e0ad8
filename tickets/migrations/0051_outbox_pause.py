from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0050_job_run"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutboxPause",
            fields=[
                ("number", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("until", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("throttled", "The provider asks for a pause."),
                            ("refused", "The provider refuses the key, the account or the domain."),
                            ("silent", "The provider does not answer."),
                        ],
                        max_length=10,
                        verbose_name="reason",
                    ),
                ),
                (
                    "unanswered",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Attempts in a row that the provider did not answer.",
                        verbose_name="unanswered",
                    ),
                ),
            ],
            options={
                "verbose_name": "pause of the outbox",
                "verbose_name_plural": "pause of the outbox",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("number", 1)), name="outbox_pause_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(("reason__in", ["", "throttled", "refused", "silent"])),
                        name="outbox_pause_reason_known",
                    ),
                ],
            },
        ),
    ]
