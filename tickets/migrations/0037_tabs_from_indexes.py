from django.conf import settings
from django.db import migrations, models

OPEN = models.Q(done_at__isnull=True)
REMOVED = (
    "ticket_by_change", "ticket_by_assignee", "ticket_by_category", "ticket_by_priority",
    "ticket_open_by_change", "ticket_queue", "ticket_queue_by_status", "ticket_queue_by_category",
    "ticket_queue_by_assignee", "ticket_queue_unassigned", "ticket_open_by_age",
)  # fmt: skip
# In this order, of which SQLite takes the last one that fits.
ADDED = (
    models.Index(fields=["-updated_at", "-id", "created_at"], name="ticket_by_change"),
    models.Index(fields=["assignee", "-updated_at", "-id"], name="ticket_by_assignee"),
    models.Index(fields=["category", "-updated_at", "-id"], name="ticket_by_category"),
    models.Index(fields=["urgency_rank", "-updated_at", "-id"], name="ticket_by_priority"),
    models.Index(fields=["assignee", "status"], name="ticket_tabs_of_assignee"),
    models.Index(fields=["category", "status"], name="ticket_tabs_of_category"),
    models.Index(fields=["urgency_rank", "status"], name="ticket_tabs_of_priority"),
    models.Index(fields=["-updated_at", "-id"], name="ticket_open_by_change", condition=OPEN),
    models.Index(fields=["urgency_rank", "created_at", "id", "done_at"], name="ticket_queue", condition=OPEN),
    models.Index(
        fields=["status", "urgency_rank", "created_at", "id", "done_at"],
        name="ticket_queue_by_status",
        condition=OPEN,
    ),
    models.Index(
        fields=["category", "urgency_rank", "created_at", "id", "done_at"],
        name="ticket_queue_by_category",
        condition=OPEN,
    ),
    models.Index(
        fields=["assignee", "urgency_rank", "created_at", "id", "done_at"],
        name="ticket_queue_by_assignee",
        condition=OPEN,
    ),
    models.Index(
        fields=["urgency_rank", "created_at", "id"],
        name="ticket_queue_unassigned",
        condition=models.Q(done_at__isnull=True, assignee__isnull=True),
    ),
    models.Index(fields=["-created_at", "-id"], name="ticket_open_by_age", condition=OPEN),
)


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0036_reports_from_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(migrations.RemoveIndex(model_name="ticket", name=name) for name in REMOVED),
        *(migrations.AddIndex(model_name="ticket", index=index) for index in ADDED),
    ]
