import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0040_assigned_because"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Handover",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "ends_notices",
                    models.BooleanField(
                        default=False,
                        help_text="The person is also removed from the people to notify and the watchers.",
                        verbose_name="ends notifications",
                    ),
                ),
                (
                    "batch",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name="act"),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="asked"
                    ),
                ),
                ("done_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="done")),
                ("tickets", models.PositiveIntegerField(default=0, verbose_name="tickets")),
                ("categories", models.PositiveIntegerField(default=0, verbose_name="categories")),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the system.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
                (
                    "default_to",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: nobody.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="new default assignee",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="handovers",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                (
                    "to",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: nobody.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="tickets go to",
                    ),
                ),
            ],
            options={
                "verbose_name": "handover",
                "verbose_name_plural": "handovers",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("done_at", None)),
                        fields=("person",),
                        name="handover_one_open_per_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to", None), models.Q(("to", models.F("person")), _negated=True), _connector="OR"
                        ),
                        name="handover_to_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("default_to", None),
                            models.Q(("default_to", models.F("person")), _negated=True),
                            _connector="OR",
                        ),
                        name="handover_default_to_another",
                    ),
                ],
            },
        ),
    ]
